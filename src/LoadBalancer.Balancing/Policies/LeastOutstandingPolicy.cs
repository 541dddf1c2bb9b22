namespace LoadBalancer.Balancing;

/// <summary>
/// The destination with the fewest picks under way for its weight; among equals one by chance, weighted, so that at low load nothing
/// piles up on the first. Compares all, up to <see cref="ScoreBoard.ScanMax"/>.
/// </summary>
public sealed class LeastOutstandingPolicy : IBalancingPolicy
{
    /// <inheritdoc/>
    public string Name => "least-outstanding";

    /// <inheritdoc/>
    public IDestinationPicker Build(DestinationSet set, IDestinationPicker? previous) => new LeastOutstandingPicker(set);
}

internal sealed class LeastOutstandingPicker : IDestinationPicker
{
    private const int WeightedDrawsMax = 8;
    private readonly DestinationSet _set;
    private readonly ScoreBoard _board;
    private readonly AliasTable _byWeight;
    private readonly float[] _perPick; // 1 / weight

    internal LeastOutstandingPicker(DestinationSet set)
    {
        _set = set;
        _board = new ScoreBoard(set.Count, set.Random);
        _byWeight = new AliasTable(set.Weights);
        _perPick = [.. set.Weights.ToArray().Select(weight => 1f / weight)];
        Attached();
    }

    /// <inheritdoc/>
    public Destination? Pick(in PickContext context)
    {
        int but = context.Exclude is null ? -1 : _set.SeatOf(context.Exclude);
        for (int attempt = 0; attempt < 3; attempt++)
        {
            int seat = _board.FindLowest(but, out int price);
            if (seat < 0) break;
            if (!_byWeight.IsUniform && but < 0) seat = DrawEqual(seat, price);
            Destination picked = _set[seat];
            if (picked.IsHeld(context.Timestamp) || (but < 0 && _set.IsHeldBack(picked, context.Timestamp)))
            {
                if (but >= 0) break; // one can be left out of the search; with more, any will do
                but = seat;
                continue;
            }
            if (!picked.TryReserve(context.Timestamp, out int outstanding))
            {
                Publish(seat);
                continue;
            }
            // A price may rise between the look and the reservation: more than one pick that came between is a crowd, and worth a second look.
            if (attempt == 0 && Price(seat, outstanding - 2) > price)
            {
                picked.Release();
                Publish(seat);
                continue;
            }
            Publish(seat);
            return picked;
        }
        Destination? any = _set.Count == 0 ? null : _set.ReserveAny(_set.Random.Next(_set.Count), context.Exclude, context.Timestamp);
        if (any is not null) Reserved(any, any.Outstanding, context.Timestamp);
        return any;
    }

    /// <inheritdoc/>
    public void Complete(Destination destination, int outstanding, in PickOutcome outcome, long now) => Reserved(destination, outstanding, now);

    /// <inheritdoc/>
    public void Reserved(Destination destination, int outstanding, long now)
    {
        int seat = _set.SeatOf(destination);
        if (seat >= 0) Publish(seat);
    }

    /// <inheritdoc/>
    public DestinationScore Describe(Destination destination, long now)
    {
        int seat = _set.SeatOf(destination);
        return seat < 0 ? default : new(destination.Outstanding * (double)_perPick[seat]);
    }

    /// <inheritdoc/>
    public void Attached()
    {
        for (int seat = 0; seat < _set.Count; seat++) Publish(seat);
    }

    // The last of several writers has read the count after every change: otherwise its second look differs and it writes again.
    private void Publish(int seat)
    {
        Destination destination = _set[seat];
        int outstanding;
        do
        {
            outstanding = destination.Outstanding;
            _board.Set(seat, outstanding >= destination.OutstandingMax ? ScoreBoard.None : Price(seat, outstanding));
        }
        while (destination.Outstanding != outstanding);
    }

    // Bits of a float that is not negative compare like the float.
    private int Price(int seat, int outstanding) => BitConverter.SingleToInt32Bits(Math.Max(0, outstanding) * _perPick[seat]);

    private int DrawEqual(int seat, int price)
    {
        for (int draw = 0; draw < WeightedDrawsMax; draw++)
        {
            int candidate = _byWeight.At(_set.Random.Next());
            if (_board[candidate] == price) return candidate;
        }
        return seat;
    }
}
