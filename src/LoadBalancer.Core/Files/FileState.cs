using System.Security.Cryptography;

namespace LoadBalancer.Core.Files;

/// <summary>What a look at files has found.</summary>
internal enum SourceChange
{
    /// <summary>Nothing new.</summary>
    None,
    /// <summary>Something new, which may still be being written: the next look tells.</summary>
    Unsettled,
    /// <summary>Something new, in use from now on.</summary>
    Replaced,
    /// <summary>Something new that cannot be used; see <see cref="FileState.Problem"/>.</summary>
    Refused,
    /// <summary>The files are again what is in use.</summary>
    Restored,
}

/// <summary>Uses what stands in files, if it can be used; else says why not, as an operator does of the first file.</summary>
internal delegate bool TakeContents(byte[][] contents, out string error);

/// <summary>
/// Tells what is new in files that may change while what they have is in use; that stays until they have something else that can be used. The files are read whole
/// at each look and compared by digest: dates, sizes and events of a file miss what comes by rename, by the swap of a link above it (Kubernetes, certbot),
/// over a network, or twice in one tick of the clock. Looked at by one thread at a time; read by any.
/// </summary>
internal sealed class FileState(TimeProvider time)
{
    private byte[] _used = [], _tried = [], _seen = []; // digests
    private volatile Verdict? _verdict;

    private sealed record Verdict(string? Problem, DateTimeOffset LoadedAt);

    /// <summary>What is wrong with the files as they are, as an operator says it of the first; null: what they say is in use.</summary>
    internal string? Problem => _verdict?.Problem;

    /// <summary>When what is in use was read.</summary>
    internal DateTimeOffset LoadedAt => _verdict?.LoadedAt ?? default;

    /// <summary>Looks at what was read, or at why it could not be. With <paramref name="settles"/> something new is taken only when two looks have found the same.</summary>
    internal SourceChange Look(byte[][]? contents, string error, bool settles, TakeContents take)
    {
        byte[] digest = contents is null ? SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(error)) : Digest(contents);
        if (digest.AsSpan().SequenceEqual(_tried)) return SourceChange.None;
        if (settles && !digest.AsSpan().SequenceEqual(_seen))
        {
            _seen = digest;
            return SourceChange.Unsettled;
        }
        _tried = digest;
        if (contents is not null && digest.AsSpan().SequenceEqual(_used))
        {
            _verdict = new Verdict(null, LoadedAt);
            return SourceChange.Restored;
        }
        if (contents is null || !take(contents, out error))
        {
            _verdict = new Verdict(error, LoadedAt);
            return SourceChange.Refused;
        }
        _used = digest;
        _verdict = new Verdict(null, time.GetUtcNow());
        return SourceChange.Replaced;
    }

    private static byte[] Digest(byte[][] contents)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (byte[] content in contents)
        {
            hash.AppendData(BitConverter.GetBytes(content.Length));
            hash.AppendData(content);
        }
        return hash.GetHashAndReset();
    }
}
