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
        // A price may rise between the look and the reservation: more than one pick that came between is a crowd, and worth a second look.
        for (int attempt = 0; attempt < 3; attempt++)
        {
            int seat = _board.FindLowest(out int price);
            if (seat < 0) return null;
            if (!_byWeight.IsUniform) seat = DrawEqual(seat, price);
            Destination picked = _set[seat];
            if (ReferenceEquals(picked, context.Exclude) || _set.IsHeldBack(picked, context.Timestamp)) return PickOther(seat, context);
            if (!picked.TryReserve(context.Timestamp, out int outstanding))
            {
                Publish(seat);
                continue;
            }
            if (attempt == 0 && Price(seat, outstanding - 2) > price)
            {
                picked.Release();
                Publish(seat);
                continue;
            }
            Publish(seat);
            return picked;
        }
        return Reserve(_set.ReserveAny(_set.Random.Next(_set.Count), context.Exclude, context.Timestamp));
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

    // The better of two by chance: as good as it gets without the search, for picks that are few.
    private Destination? PickOther(int notSeat, in PickContext context)
    {
        Destination? best = null;
        int lowest = ScoreBoard.None;
        for (int draw = 0; draw < 16; draw++)
        {
            int seat = _byWeight.At(_set.Random.Next());
            Destination candidate = _set[seat];
            if (seat == notSeat || ReferenceEquals(candidate, context.Exclude) || _board[seat] >= lowest || _set.IsHeldBack(candidate, context.Timestamp)) continue;
            bool isSecond = best is not null;
            (best, lowest) = (candidate, _board[seat]);
            if (isSecond) break;
        }
        if (best is null || !best.TryReserve(context.Timestamp, out _)) best = _set.ReserveAny(_set.Random.Next(_set.Count), context.Exclude, context.Timestamp);
        return Reserve(best);
    }

    private Destination? Reserve(Destination? picked)
    {
        if (picked is not null) Reserved(picked, picked.Outstanding, 0);
        return picked;
    }
}
