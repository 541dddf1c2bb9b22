using System.Text;
using LoadBalancer.Schemas.Requests;

namespace LoadBalancer.Schemas.Tests.Requests;

/// <summary>Header fields in memory.</summary>
internal sealed class Fields : IHeaderFields
{
    private readonly Dictionary<string, byte[]> _fields = [];

    internal Fields(params string[] lines)
    {
        foreach (string line in lines)
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            _fields[line[..colon].ToLowerInvariant()] = Encoding.Latin1.GetBytes(line[(colon + 1)..].Trim());
        }
    }

    public bool TryGet(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        bool has = _fields.TryGetValue(Encoding.ASCII.GetString(name), out byte[]? bytes);
        value = bytes;
        return has;
    }
}
