using System.Diagnostics.CodeAnalysis;
using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Limiting.Addresses;

namespace LoadBalancer.Core.Protection.Addresses;

/// <summary>Files of address lists: a block on each line; blank lines, and what stands behind "#" or ";" (as in the DROP list of Spamhaus), do not count.</summary>
internal static class AddressListFile
{
    /// <summary>Most blocks of a list.</summary>
    internal const int EntriesMax = 1_000_000;

    /// <summary>Largest file, in bytes: 64 MiB, room for so many blocks with comments.</summary>
    internal const int BytesMax = 64 * 1024 * 1024;

    /// <summary>Reads what stands in a file; false with what is wrong, as an operator says it of the file.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> content, [NotNullWhen(true)] out List<AddressBlock>? blocks, out string error)
    {
        ReadOnlySpan<byte> mark = [0xEF, 0xBB, 0xBF];
        if (content.StartsWith(mark)) content = content[mark.Length..];
        var read = new List<AddressBlock>();
        blocks = null;
        error = "";
        for (int number = 1; !content.IsEmpty; number++)
        {
            int end = content.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? content : content[..end];
            content = end < 0 ? default : content[(end + 1)..];
            int comment = line.IndexOfAny((byte)'#', (byte)';');
            if (comment >= 0) line = line[..comment];
            line = line.Trim(" \t\r"u8);
            if (line.IsEmpty) continue;
            if (!AddressBlockText.TryParse(line, out AddressBlock block, out string? problem))
            {
                error = $"cannot be used: line {number}: {CharacterText.Quote(Encoding.Latin1.GetString(line[..Math.Min(line.Length, 200)]))} {problem}";
                return false;
            }
            if (read.Count == EntriesMax)
            {
                error = $"cannot be used: line {number}: more than {EntriesMax} blocks";
                return false;
            }
            read.Add(block);
        }
        blocks = read;
        return true;
    }
}
