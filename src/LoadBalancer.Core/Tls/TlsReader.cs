using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls;

/// <summary>The decrypting side of a <see cref="TlsConnection"/>. See <see cref="TransportConnection"/> for the contract.</summary>
internal abstract class TlsReader(TlsConnection connection, TransportConnection inner) : TransportReader(inner.Loop.Slabs)
{
    /// <summary>Whether nothing is received and unread.</summary>
    internal abstract bool IsQuiet { get; }

    /// <summary>
    /// Takes records that carry no content, while nobody reads: session tickets, key updates. False when there is more than that: content, an end, or so
    /// much that it is no use waiting for its end.
    /// </summary>
    internal abstract bool TakeSilentRecords();

    private protected sealed override void Defer() => connection.Loop.Defer(connection);

    /// <summary>The loop's turn after a yield, cancel or abort.</summary>
    internal void OnDeferred()
    {
        if (CompleteCancelled()) return;
        if (connection.Fault == TransportFault.Aborted) IsEnded = true;
        OnTurn();
        if (HasNews || TryReceiveOrWait()) CompleteRead();
    }

    /// <summary>A new turn of the loop.</summary>
    private protected virtual void OnTurn()
    {
    }

    private protected void End(bool isBroken)
    {
        Buffer.ReleaseIfEmpty();
        IsEnded = true;
        connection.NoteFault(isBroken);
    }
}
