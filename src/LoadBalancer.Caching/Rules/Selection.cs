using System.Buffers.Binary;
using System.Text;
using LoadBalancer.Http;

namespace LoadBalancer.Caching.Rules;

/// <summary>
/// For which requests a response was selected (RFC 9111 §4.1): the names in its Vary, each with the value that the request had, normalised. As bytes: for each name its
/// length (1), the name in lower case, the length of the value (2; 0xFFFF when the request had none) and the value. Never empty where there is a Vary.
/// </summary>
public static class Selection
{
    /// <summary>Most names in Vary.</summary>
    public const int NamesMax = 16;

    /// <summary>Longest normalised value, in bytes.</summary>
    public const int ValueBytesMax = 1024;

    private const ushort Absent = 0xFFFF;

    /// <summary>Whether the request has the same values.</summary>
    // Hot path: per look-up. 0 allocations. RulesAllocationTests.AHit_AllocatesNothing
    public static bool Matches(ReadOnlySpan<byte> selection, RequestHead request, ReadOnlySpan<byte> requestBytes)
    {
        Span<byte> value = stackalloc byte[ValueBytesMax];
        while (!selection.IsEmpty)
        {
            if (!TryTake(ref selection, out ReadOnlySpan<byte> name, out bool isAbsent, out ReadOnlySpan<byte> expected)) return false;
            int first = request.IndexOf(name, requestBytes);
            if (first < 0 || isAbsent)
            {
                if (first < 0 && isAbsent) continue;
                return false;
            }
            int length = FieldNormalizer.Write(value, name, request, requestBytes, first);
            if (length < 0 || !value[..length].SequenceEqual(expected)) return false;
        }
        return true;
    }

    /// <summary>Whether two responses were selected by the same names with the same values: one takes the place of the other.</summary>
    public static bool AreSame(StoredHead a, StoredHead b) => a.SelectedBy.SequenceEqual(b.SelectedBy);

    /// <summary>The names with their values, for people; null for a field that the request had not.</summary>
    public static IReadOnlyDictionary<string, string?> Describe(ReadOnlySpan<byte> selection)
    {
        var fields = new Dictionary<string, string?>(StringComparer.Ordinal);
        while (!selection.IsEmpty && TryTake(ref selection, out ReadOnlySpan<byte> name, out bool isAbsent, out ReadOnlySpan<byte> value))
            fields[Encoding.Latin1.GetString(name)] = isAbsent ? null : Encoding.Latin1.GetString(value);
        return fields;
    }

    internal static StoreVerdict Build(ResponseHead response, ReadOnlySpan<byte> responseBytes, CachePolicy policy, RequestHead request, ReadOnlySpan<byte> requestBytes, out byte[] selection)
    {
        selection = [];
        if ((policy.Ignored & IgnoredFields.Vary) != 0) return StoreVerdict.Storable;
        List<byte>? bytes = null;
        HashSet<string>? seen = null;
        Span<byte> value = stackalloc byte[ValueBytesMax];
        Span<byte> two = stackalloc byte[2];
        for (int i = 0; i < response.FieldCount; i++)
        {
            if (response.Fields[i].Known != KnownField.Other || CacheFields.Of(response.NameOf(i, responseBytes)) != CacheField.Vary) continue;
            ReadOnlySpan<byte> list = response.ValueOf(i, responseBytes);
            foreach (Range range in list.Split((byte)','))
            {
                ReadOnlySpan<byte> name = list[range].Trim(" \t"u8);
                if (name.IsEmpty) continue;
                if (name.SequenceEqual("*"u8) || !DirectiveReader.IsToken(name)) return StoreVerdict.VaryAny;
                if (name.Length > byte.MaxValue) return StoreVerdict.VaryTooLarge;
                string lower = Encoding.ASCII.GetString(name).ToLowerInvariant();
                // What the proxy writes itself: the client's value is not what the origin saw. Scheme and host are in the key.
                if (lower is "x-forwarded-for" or "forwarded" or "via" || lower.StartsWith("client-cert", StringComparison.Ordinal)) return StoreVerdict.VaryAny;
                if (lower is "x-forwarded-proto" or "x-forwarded-host") continue;
                if (!(seen ??= new(StringComparer.Ordinal)).Add(lower)) continue;
                if (seen.Count > NamesMax) return StoreVerdict.VaryTooLarge;
                bytes ??= [];
                bytes.Add((byte)name.Length);
                byte[] lowerBytes = Encoding.ASCII.GetBytes(lower);
                bytes.AddRange(lowerBytes);
                int first = request.IndexOf(name, requestBytes);
                int length = first < 0 ? 0 : FieldNormalizer.Write(value, lowerBytes, request, requestBytes, first);
                if (length < 0) return StoreVerdict.VaryTooLarge;
                BinaryPrimitives.WriteUInt16LittleEndian(two, first < 0 ? Absent : (ushort)length);
                bytes.AddRange(two);
                bytes.AddRange(value[..length]);
            }
        }
        if (bytes is not null) selection = [.. bytes];
        return StoreVerdict.Storable;
    }

    /// <summary>Whether bytes from a disk have the form.</summary>
    internal static bool IsValid(ReadOnlySpan<byte> selection)
    {
        int names = 0;
        while (!selection.IsEmpty)
        {
            if (!TryTake(ref selection, out ReadOnlySpan<byte> name, out _, out ReadOnlySpan<byte> value)) return false;
            if (++names > NamesMax || !DirectiveReader.IsToken(name) || name.ContainsAnyInRange((byte)'A', (byte)'Z') || value.Length > ValueBytesMax) return false;
        }
        return true;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> name, out bool isAbsent, out ReadOnlySpan<byte> value)
    {
        name = value = default;
        isAbsent = false;
        int nameLength = rest[0];
        if (rest.Length < 1 + nameLength + 2) return false;
        name = rest.Slice(1, nameLength);
        int length = BinaryPrimitives.ReadUInt16LittleEndian(rest[(1 + nameLength)..]);
        rest = rest[(1 + nameLength + 2)..];
        isAbsent = length == Absent;
        if (isAbsent) return true;
        if (rest.Length < length) return false;
        value = rest[..length];
        rest = rest[length..];
        return true;
    }
}
