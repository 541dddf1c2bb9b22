using LoadBalancer.Core.Buffers;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls.OpenSsl;

/// <summary>Decrypts from the buffer of the connection below into its own slab, which is leased only when there is something to decrypt.</summary>
internal sealed class OpenSslReader : TlsReader
{
    private const int SilentReadsMax = 16;

    private readonly OpenSslConnection _connection;
    private readonly TransportReader _below;
    private readonly Action _onFilled;
    private bool _isFilling; // a read below is under way; it goes on after a read here that was cancelled

    internal OpenSslReader(OpenSslConnection connection, TransportConnection inner) : base(connection, inner)
    {
        _connection = connection;
        _below = inner.Input;
        _onFilled = OnFilled;
    }

    internal override bool IsQuiet => IsEmpty && !IsEnded && _below.IsEmpty && !_connection.HasDecrypted;

    internal override bool TakeSilentRecords()
    {
        if (_isFilling || !IsEmpty || IsEnded) return false;
        for (int reads = 0; reads < SilentReadsMax; reads++)
        {
            if (TryReceive()) return false;
            if (!_below.TryRead(out _)) return true;
        }
        return false;
    }

    // Hot path: per read. 0 allocations.
    private protected override bool TryReceiveOrWait()
    {
        while (!_isFilling)
        {
            if (TryReceive()) return true;
            TransportReader.FillAwaitable filling = _below.FillAsync(); // yields to other connections when it never waits
            if (filling.IsCompleted) continue;
            _isFilling = true;
            filling.UnsafeOnCompleted(_onFilled);
        }
        return false;
    }

    private protected override bool TryReceive()
    {
        if (_isFilling || !HasInput) return false;
        Slab slab = Buffer.Prepare(out int offset);
        int start = offset;
        OpenSslStatus status;
        // A record each; what the room does not hold waits inside OpenSSL.
        do
        {
            status = _connection.Decrypt(slab.Array.AsSpan(offset), out int count);
            offset += count;
        }
        while (status == OpenSslStatus.Done && offset < slab.Length && HasInput);
        _connection.SendAnswers();
        if (offset > start) Buffer.Received(offset - start);
        if (status is OpenSslStatus.Ended or OpenSslStatus.Broken) End(isBroken: status == OpenSslStatus.Broken);
        else if (offset == start) Buffer.ReleaseIfEmpty();
        return offset > start || IsEnded;
    }

    private bool HasInput => !_below.IsEmpty || _below.IsEnded || _connection.HasDecrypted;

    private void OnFilled()
    {
        _isFilling = false;
        if (!IsPending) _connection.OnConnectionEvent(readable: true, broken: _connection.Fault != TransportFault.None);
        else if (HasNews || TryReceiveOrWait()) CompleteRead();
    }
}
