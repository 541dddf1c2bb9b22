using System.IO.Pipelines;
using System.Text;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Serving;

/// <summary>The answer to a <see cref="ServedRequest"/>. Status and fields count until the first flush of the body, or the end without one.</summary>
public sealed class ServedResponse
{
    private readonly StringBuilder _fields = new();

    internal ServedResponse(PipeWriter body) => Body = body;

    /// <summary>The status, 200 to 599. Default 200.</summary>
    public int Status { get; set; } = 200;

    /// <summary>The body. Need not be completed; a flush waits while the client does not take what was sent before, and says when it is gone.</summary>
    public PipeWriter Body { get; }

    /// <summary>Adds a field. Length, framing, Date and Connection are the server's.</summary>
    /// <exception cref="ArgumentException">The name is no token, or the value is not printable ASCII.</exception>
    public void AddField(string name, string value)
    {
        if (!HttpSyntax.IsToken(name)) throw new ArgumentException($"{CharacterText.Quote(name)} is no field name", nameof(name));
        if (HttpSyntax.FieldValueError(value) is { } error) throw new ArgumentException($"{CharacterText.Quote(value)} {error}", nameof(value));
        _fields.Append(name).Append(": ").Append(value).Append("\r\n");
    }

    internal string FieldLines => _fields.ToString();
}
