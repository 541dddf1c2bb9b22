using System.Text;

namespace LoadBalancer.Core.Tls;

/// <summary>The certificates of a listener by name, and whom it lets in. Immutable: a hand-shake keeps the one it began with.</summary>
internal sealed class CertificateSet
{
    private const int NameLengthMax = 255; // RFC 1035 §2.3.4

    private readonly Dictionary<string, ServerIdentity>.AlternateLookup<ReadOnlySpan<char>> _exact, _wildcard; // "*.a.b" under "a.b"

    /// <param name="identities">At least one. Where several are for a name, the first of them.</param>
    /// <param name="clients">See <see cref="Clients"/>.</param>
    internal CertificateSet(IReadOnlyList<ServerIdentity> identities, ClientVerification? clients)
    {
        Clients = clients;
        var exact = new Dictionary<string, ServerIdentity>(StringComparer.OrdinalIgnoreCase);
        var wildcard = new Dictionary<string, ServerIdentity>(StringComparer.OrdinalIgnoreCase);
        foreach (ServerIdentity identity in identities)
        {
            Default ??= identity;
            foreach (string name in identity.Certificate.Names)
            {
                if (name.StartsWith("*.", StringComparison.Ordinal)) wildcard.TryAdd(name[2..], identity);
                else exact.TryAdd(name, identity);
            }
        }
        if (Default is null) throw new ArgumentException("no certificate", nameof(identities));
        _exact = exact.GetAlternateLookup<ReadOnlySpan<char>>();
        _wildcard = wildcard.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Which clients are let in by certificate; null where none is asked for. The identities are made with it.</summary>
    internal ClientVerification? Clients { get; }

    /// <summary>The first: for clients that ask for no name, or for an unknown one.</summary>
    internal ServerIdentity Default { get; }

    /// <summary>What a client gets that asks for a name.</summary>
    internal ServerIdentity Find(ReadOnlySpan<char> name)
    {
        if (name.IsEmpty) return Default;
        if (_exact.TryGetValue(name, out ServerIdentity? identity)) return identity;
        // RFC 9525 §6.3: the wildcard stands for one whole label.
        int dot = name.IndexOf('.');
        return dot > 0 && _wildcard.TryGetValue(name[(dot + 1)..], out identity) ? identity : Default;
    }

    /// <summary>As <see cref="Find(ReadOnlySpan{char})"/>, for a name as it was sent.</summary>
    internal ServerIdentity Find(ReadOnlySpan<byte> name)
    {
        if (name.Length > NameLengthMax) return Default;
        Span<char> characters = stackalloc char[NameLengthMax];
        return Find(characters[..Encoding.Latin1.GetChars(name, characters)]);
    }
}
