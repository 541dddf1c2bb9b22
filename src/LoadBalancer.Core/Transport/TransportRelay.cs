namespace LoadBalancer.Core.Transport;

/// <summary>Whoever runs a <see cref="TransportRelay"/>.</summary>
internal interface IRelayOwner
{
    /// <summary>One side has ended; the other may go on.</summary>
    void OnHalfClosed();
}

/// <summary>
/// Both directions between two connections of one loop, with back-pressure and half-close: an end from one side is passed on and ends one direction only, a
/// reset of one side resets the other. Made by <see cref="TransportConnection.CreateRelay"/>, run once. Whoever wants it to end earlier aborts both
/// connections; closing them is the caller's in any case.
/// </summary>
internal abstract class TransportRelay(TransportConnection client, TransportConnection upstream)
{
    internal TransportConnection Client { get; } = client;

    internal TransportConnection Upstream { get; } = upstream;

    /// <summary>Bytes that came from the client and were taken by the kernel for the other side.</summary>
    internal abstract long ClientBytes { get; }

    /// <summary>The same from the other side.</summary>
    internal abstract long UpstreamBytes { get; }

    /// <summary>When bytes, or an end, last moved, in milliseconds of the loop's clock.</summary>
    internal long ActivityAt { get; private protected set; } = client.Loop.NowMilliseconds;

    /// <summary>Who is told of the first end; null for nobody.</summary>
    internal IRelayOwner? Owner { get; set; }

    /// <summary>Whether one direction has ended.</summary>
    internal bool IsHalfClosed { get; private set; }

    /// <summary>The side whose reset was first; null where there was none. A reset of the other side is then of our making.</summary>
    internal TransportConnection? ResetBy { get; private protected set; }

    private protected void NoteHalfClosed()
    {
        if (IsHalfClosed) return;
        IsHalfClosed = true;
        Owner?.OnHalfClosed();
    }

    /// <summary>Relays until both directions have ended, beginning with what the connections have received and nobody has consumed.</summary>
    internal abstract ValueTask RunAsync();
}
