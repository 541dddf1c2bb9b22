namespace LoadBalancer.Core.Protection.Limits;

/// <summary>What one request holds of its route's limits, and what its answer tells of them. A part of its exchange, kept with it.</summary>
internal sealed class LimitHolds
{
    private readonly (Limiter Limiter, int Ticket)[] _held = new (Limiter, int)[LimitsMax]; // over both times that limits are asked
    private byte[] _fields = [];
    private int _heldCount, _fieldsLength;

    /// <summary>Most limits of a route.</summary>
    internal const int LimitsMax = 8;

    /// <summary>The lines RateLimit-Policy and RateLimit; empty for none.</summary>
    internal ReadOnlySpan<byte> Fields => _fields.AsSpan(0, _fieldsLength);

    internal void Hold(Limiter limiter, int ticket) => _held[_heldCount++] = (limiter, ticket);

    /// <summary>The places that it takes in limits of concurrency are free.</summary>
    internal void Leave()
    {
        while (_heldCount > 0)
        {
            (Limiter limiter, int ticket) = _held[--_heldCount];
            limiter.Concurrency!.Leave(ticket);
        }
    }

    internal void ClearFields() => _fieldsLength = 0;

    /// <summary>Room for the lines; what was written is said by <see cref="AddFields"/>.</summary>
    internal Span<byte> FieldsBuffer(int length)
    {
        if (_fields.Length - _fieldsLength < length) Array.Resize(ref _fields, _fieldsLength + length);
        return _fields.AsSpan(_fieldsLength);
    }

    /// <summary>So much was written of them.</summary>
    internal void AddFields(int length) => _fieldsLength += length;
}
