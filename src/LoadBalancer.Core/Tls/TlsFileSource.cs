using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using LoadBalancer.Core.Files;

namespace LoadBalancer.Core.Tls;

/// <summary>What is read from files that may change while it is in use, as <see cref="FileState"/> has it. Looked at by one thread at a time; read by any.</summary>
internal abstract class TlsFileSource(IReadOnlyList<string> files, TimeProvider time) : ShownCertificate
{
    private readonly FileState _state = new(time);

    internal sealed override string File => files[0];

    /// <summary>What is wrong with the files as they are, as an operator says it of the first; null: what they say is in use.</summary>
    internal string? Problem => _state.Problem;

    /// <summary>When what is in use was read.</summary>
    internal DateTimeOffset LoadedAt => _state.LoadedAt;

    /// <summary>Reads the files. With <paramref name="settles"/> something new is taken only when two looks have found the same.</summary>
    internal SourceChange Look(bool settles)
    {
        bool isRead = TryRead(out byte[][]? contents, out string error);
        try
        {
            return _state.Look(isRead ? contents : null, error, settles, TryTake);
        }
        finally
        {
            foreach (byte[] content in contents ?? []) CryptographicOperations.ZeroMemory(content);
        }
    }

    /// <summary>Reads the files whole.</summary>
    private protected virtual bool TryRead([NotNullWhen(true)] out byte[][]? contents, out string error) => TlsFile.TryRead(files, out contents, out error);

    /// <summary>Uses what stands in the files, if it can be used.</summary>
    private protected abstract bool TryTake(byte[][] contents, out string error);
}
