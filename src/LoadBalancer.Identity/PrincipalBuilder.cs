using System.Buffers;
using System.Text.Json;

namespace LoadBalancer.Identity;

/// <summary>Collects the claims of a principal whose credential has no JSON of its own. Of a name that is added twice the first stays.</summary>
public sealed class PrincipalBuilder
{
    private readonly List<(string Name, string? Text, long Number, IReadOnlyList<string>? List)> _claims = [];
    private readonly string _scheme;
    private readonly string? _keyId;

    /// <param name="scheme">How it was verified.</param>
    /// <param name="subject">Who it is; null when that is not known.</param>
    /// <param name="keyId">The key's name, if it has one.</param>
    public PrincipalBuilder(string scheme, string? subject, string? keyId = null)
    {
        _scheme = scheme;
        _keyId = keyId;
        Add("sub", subject);
    }

    /// <summary>Adds a string, if there is one.</summary>
    public PrincipalBuilder Add(string name, string? value)
    {
        if (value is not null && !Has(name)) _claims.Add((name, value, 0, null));
        return this;
    }

    /// <summary>Adds a number.</summary>
    public PrincipalBuilder Add(string name, long value)
    {
        if (!Has(name)) _claims.Add((name, null, value, null));
        return this;
    }

    /// <summary>Adds a list of strings, if it is not empty.</summary>
    public PrincipalBuilder Add(string name, IReadOnlyList<string> values)
    {
        if (values.Count > 0 && !Has(name)) _claims.Add((name, null, 0, values));
        return this;
    }

    /// <summary>Whether a claim of this name was added.</summary>
    public bool Has(string name) => _claims.Exists(claim => claim.Name == name);

    /// <summary>The principal.</summary>
    /// <exception cref="InvalidOperationException">More claims than a principal may have.</exception>
    public Principal Build()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach ((string name, string? text, long number, IReadOnlyList<string>? list) in _claims)
            {
                if (text is not null)
                {
                    json.WriteString(name, text);
                    continue;
                }
                if (list is null)
                {
                    json.WriteNumber(name, number);
                    continue;
                }
                json.WriteStartArray(name);
                foreach (string item in list) json.WriteStringValue(item);
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        return Principal.Read(_scheme, buffer.WrittenMemory.ToArray(), _keyId) ?? throw new InvalidOperationException("too many claims, or \"exp\" is no time");
    }
}
