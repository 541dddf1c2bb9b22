using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;

namespace LoadBalancer.Identity.ApiKeys;

/// <summary>
/// API keys by their SHA-256: keys are of high entropy (see <see cref="ApiKeys.Create"/>), so a slow hash gains nothing. A key is found by its whole hash, which nobody can
/// steer, so that neither the look-up nor its time tells of other keys; the comparison is in constant time nonetheless. Immutable.
/// </summary>
public sealed class ApiKeyTable
{
    /// <summary>Most keys.</summary>
    public const int KeysMax = 100_000;

    private const int IdLengthMax = 128;

    private readonly Dictionary<UInt128, (byte[] Hash, Principal Principal)> _keys = [];
    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);

    /// <summary>Keys.</summary>
    public int Count => _keys.Count;

    /// <summary>Adds a key; false with what is wrong.</summary>
    /// <param name="id">Its public name: subject, unless an "owner" is given.</param>
    /// <param name="hash">SHA-256 of the key in hexadecimal.</param>
    /// <param name="attributes">"owner", "expires" (ISO 8601), and any others, which become claims; a list where there are commas.</param>
    /// <param name="problem">What is wrong with it.</param>
    public bool TryAdd(string id, string hash, IReadOnlyDictionary<string, string> attributes, out string problem)
    {
        problem = "";
        if (id.Length is 0 or > IdLengthMax || id.Any(c => c <= ' ' || c == 0x7F)) problem = "its id is empty, too long, or has spaces or control characters";
        else if (hash.Length != 64 || !hash.All(char.IsAsciiHexDigit)) problem = "its hash is not the SHA-256 of a key in 64 hexadecimal digits";
        else if (Count >= KeysMax) problem = $"there are more than {KeysMax} keys";
        else if (!_ids.Add(id)) problem = $"the id \"{id}\" is given twice";
        if (problem.Length > 0) return false;
        long expires = long.MaxValue;
        if (attributes.TryGetValue("expires", out string? end))
        {
            if (!DateTimeOffset.TryParse(end, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset at) || at < DateTimeOffset.UnixEpoch)
            {
                problem = "its \"expires\" is no date (2027-01-31 or 2027-01-31T12:00:00Z)";
                return false;
            }
            expires = at.ToUnixTimeSeconds();
        }
        var builder = new PrincipalBuilder(Schemes.ApiKey, attributes.GetValueOrDefault("owner", id), id);
        builder.Add("key_id", id);
        if (expires != long.MaxValue) builder.Add("exp", expires);
        foreach ((string name, string value) in attributes)
        {
            if (name == "expires" || builder.Has(name) && name != "owner") continue;
            if (value.Contains(',', StringComparison.Ordinal)) builder.Add(name, value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
            else builder.Add(name, value);
        }
        byte[] bytes = Convert.FromHexString(hash);
        if (!_keys.TryAdd(First(bytes), (bytes, builder.Build()))) problem = $"the hash of \"{id}\" is given twice";
        return problem.Length == 0;
    }

    /// <summary>Reads a file: "ID:HASH" per line, then attributes ("owner=alice roles=reader,writer expires=2027-01-31"); # begins a comment. False with the first line that is wrong.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ApiKeyTable? table, out string problem)
    {
        table = null;
        problem = "is no UTF-8";
        if (!Utf8.IsValid(text)) return false;
        var read = new ApiKeyTable();
        int at = 0;
        foreach (string row in Encoding.UTF8.GetString(text).Split('\n'))
        {
            at++;
            string line = row.Trim();
            if (line.Length == 0 || line[0] == '#') continue;
            if (read.TryAddLine(line, out problem)) continue;
            problem = $"line {at}: {problem}";
            return false;
        }
        table = read;
        problem = "";
        return true;
    }

    private bool TryAddLine(string line, out string problem)
    {
        string[] words = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        int colon = words[0].LastIndexOf(':');
        var attributes = new Dictionary<string, string>(StringComparer.Ordinal);
        problem = "there is no \"ID:HASH\"";
        if (colon < 0) return false;
        foreach (string word in words.Skip(1))
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            problem = $"an attribute is not NAME=VALUE, or given twice";
            if (equals <= 0 || !attributes.TryAdd(word[..equals], word[(equals + 1)..])) return false;
        }
        return TryAdd(words[0][..colon], words[0][(colon + 1)..], attributes, out problem);
    }

    internal Principal? Find(ReadOnlySpan<byte> hash) =>
        _keys.TryGetValue(First(hash), out (byte[] Hash, Principal Principal) found) && CryptographicOperations.FixedTimeEquals(found.Hash, hash) ? found.Principal : null;

    private static UInt128 First(ReadOnlySpan<byte> hash) => System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(hash);
}
