using System.IO.Pipelines;
using System.Security.Cryptography.X509Certificates;

namespace LoadBalancer.Core.Transport;

/// <summary>Why a connection stopped carrying bytes, other than by an orderly end.</summary>
internal enum TransportFault : byte
{
    None,
    /// <summary>The peer reset the connection, or it broke.</summary>
    Reset,
    /// <summary><see cref="TransportConnection.Abort"/> was called on this side.</summary>
    Aborted,
}

/// <summary>Outcome of <see cref="TransportConnection.ConnectAsync"/>.</summary>
internal enum ConnectResult : byte
{
    Connected,
    Refused,
    Unreachable,
    /// <summary>No descriptor, no local port, no memory: our side's fault, not the destination's.</summary>
    ResourceExhausted,
    /// <summary>Aborted from this side while connecting (a connect time-out).</summary>
    Aborted,
    Failed,
    /// <summary>Connected, but the TLS hand-shake failed.</summary>
    HandshakeFailed,
    /// <summary>Connected, but the peer's certificate is not valid, or not its own.</summary>
    CertificateInvalid,
}

/// <summary>Told of what happens to a connection while nobody reads from it. Called on the owning loop's thread.</summary>
internal interface IConnectionObserver
{
    /// <summary>
    /// The connection broke (reset by the peer), or, when <paramref name="readable"/>, bytes or an end of stream arrived.
    /// Only called while no read is pending. May call any member of the connection.
    /// </summary>
    void OnConnectionEvent(bool readable, bool broken);
}

/// <summary>
/// One socket as an <see cref="IDuplexPipe"/>, owned by one <see cref="TransportLoop"/>: every member is used on that loop's
/// thread, and every continuation runs there, inline. The pipe contract holds with these sharper promises, which the callers rely on:
/// <list type="bullet">
/// <item>A read returns one contiguous segment (<see cref="ReadResult.Buffer"/> is single-segment).</item>
/// <item>Faults are values: a reset ends a read with <see cref="ReadResult.IsCompleted"/> and a flush with
/// <see cref="FlushResult.IsCompleted"/>; <see cref="Fault"/> says why. A clean end of stream leaves it <see cref="TransportFault.None"/>.
/// No member throws for what a peer does.</item>
/// <item>Reads: <c>AdvanceTo(consumed, examined)</c> with examined at the end makes the next read wait for more bytes; the buffer then grows, up to
/// <see cref="Buffers.SlabPool.LargeSize"/>. When everything is consumed the buffer is given back: an idle connection holds none.</item>
/// <item><see cref="PipeReader.CancelPendingRead"/> and <see cref="PipeWriter.CancelPendingFlush"/> end a pending wait with IsCanceled.
/// A cancelled flush leaves unsent bytes behind: the only thing to do then is to abort.</item>
/// <item>Writes: <see cref="PipeWriter.GetMemory"/>/<c>GetSpan</c> + <c>Advance</c> collect bytes in one slab; <c>FlushAsync</c> sends them;
/// <c>WriteAsync(memory)</c> sends what was collected and then the memory itself, without copying it, in one system call where it can.
/// Both complete only when the kernel has taken every byte, which is the back-pressure. The memory must stay untouched until then.</item>
/// <item><c>Output.Complete()</c> ends our direction (FIN) once flushed; <c>Input.Complete()</c> releases the read buffer.</item>
/// </list>
/// </summary>
internal abstract class TransportConnection : IDuplexPipe
{
    protected TransportConnection(TransportLoop loop) => Loop = loop;

    internal TransportLoop Loop { get; }

    public abstract TransportReader Input { get; }

    public abstract TransportWriter Output { get; }

    PipeReader IDuplexPipe.Input => Input;

    PipeWriter IDuplexPipe.Output => Output;

    /// <summary>Whether the bytes travel encrypted.</summary>
    internal virtual bool IsEncrypted => false;

    /// <summary>The certificate by which the client has proved who it is, until <see cref="Close"/>; null for none.</summary>
    internal X509Certificate2? ClientCertificate { get; private protected set; }

    /// <summary>What was agreed on with a client by TLS; null for a connection in plain, and towards destinations.</summary>
    internal AccessLog.TlsSummary? TlsSummary { get; private protected set; }

    /// <summary>Remote side of an accepted connection, or who is behind it by its PROXY header; the connected address of an outbound one.</summary>
    internal PeerAddress Remote { get; set; }

    /// <summary>The address that the client has connected to by the connection's PROXY header; the default where there was none.</summary>
    internal PeerAddress OriginalDestination { get; set; }

    /// <summary><see cref="OriginalDestination"/>, else the local address, asked from the system on each call (it is needed rarely).</summary>
    internal PeerAddress GetLocalAddress() => OriginalDestination != default ? OriginalDestination : AskLocalAddress();

    private protected abstract PeerAddress AskLocalAddress();

    /// <summary>User and process at the other end of a Unix socket, as they were when it connected; -1 each where the system does not tell.</summary>
    internal virtual (int User, int Process) GetPeerIds() => (-1, -1);

    internal TransportFault Fault { get; private protected set; }

    /// <summary>Who is told of events while no read is pending; null for nobody.</summary>
    internal virtual IConnectionObserver? Observer { get; set; }

    /// <summary>Whether <see cref="TransportLoop.Defer"/> was asked for it in this turn.</summary>
    internal bool IsDeferred;

    /// <summary>Runs what was put off to the end of the loop's turn: yielded reads, and completions after an abort or cancel.</summary>
    internal abstract void OnDeferred();

    /// <summary>Connects an outbound connection made by <see cref="TransportLoop.CreateOutbound"/>. Called once.</summary>
    internal abstract ValueTask<ConnectResult> ConnectAsync();

    /// <summary>The relay between this connection, a client's, and another of the same loop. Until it has run nobody else reads or writes either of them.</summary>
    internal virtual TransportRelay CreateRelay(TransportConnection upstream) => new PumpRelay(this, upstream);

    /// <summary>
    /// Whether an idle connection can carry another exchange: connected, nothing unread, no end or error seen. Costs no system
    /// call where the transport knows it from its events. On an encrypted connection records without content are taken by the way.
    /// </summary>
    internal abstract bool IsReusable { get; }

    /// <summary>
    /// Ends at once with a reset (RST), so that the peer cannot take what it got for complete. Pending operations complete with
    /// <see cref="TransportFault.Aborted"/>; their continuations may run inside this call. Idempotent. <see cref="Close"/> is still owed.
    /// </summary>
    internal abstract void Abort();

    /// <summary>
    /// Releases the socket and all buffers: an orderly end (FIN after what was flushed) unless aborted before. No operation may be
    /// pending. Idempotent; the object is not used afterwards.
    /// </summary>
    internal abstract void Close();
}

/// <summary>The writing side of a <see cref="TransportConnection"/>, with the one call the pipe contract lacks.</summary>
internal abstract class TransportWriter : PipeWriter
{
    /// <summary>When the kernel last took bytes, in milliseconds of the loop's clock: a flush that is pending may be moving all the same.</summary>
    internal virtual long LastSentAt { get; private protected set; }

    /// <summary>Bytes that the kernel has taken so far; on an encrypted connection those of its records.</summary>
    internal virtual long SentBytes { get; private protected set; }

    /// <summary>
    /// Sends what was collected, then <paramref name="body"/> uncopied, then <paramref name="tail"/>, in one system call where it can
    /// (the framing around a chunk). Both must stay untouched until completion.
    /// </summary>
    internal abstract ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> tail);

    /// <summary>
    /// Announces that what is sent next is the last, and that <c>Complete</c>, <see cref="TransportConnection.Close"/> or
    /// <see cref="TransportConnection.Abort"/> follows at once: the end of the stream may then ride on the last segment instead of on one of its own.
    /// </summary>
    internal virtual void EndFollows()
    {
    }

    public sealed override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
        WriteAsync(source, default(ReadOnlyMemory<byte>));
}
