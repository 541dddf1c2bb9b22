namespace LoadBalancer.Balancing;

/// <summary>One pick that is owed a completion. A mutable struct with one owner: keep it in a field, never copy it while it is active.</summary>
public struct PickLease
{
    private IDestinationPicker? _picker;
    private readonly long _startTimestamp;

    /// <summary>Records a pick that was made at <paramref name="startTimestamp"/>.</summary>
    public PickLease(IDestinationPicker picker, int destination, long startTimestamp)
    {
        _picker = picker;
        Destination = destination;
        _startTimestamp = startTimestamp;
    }

    /// <summary>Index of the picked destination in the set of the picker.</summary>
    public int Destination { get; }

    /// <summary>Whether the pick is still owed its completion.</summary>
    public readonly bool IsActive => _picker is not null;

    /// <summary>When the pick was made, in timestamp ticks.</summary>
    public readonly long StartTimestamp => _startTimestamp;

    /// <summary>Completes the pick. The first call counts, later ones do nothing, so every exit path may call it.</summary>
    public void Complete(in PickOutcome outcome)
    {
        IDestinationPicker? picker = _picker;
        if (picker is null) return;
        _picker = null;
        picker.Complete(Destination, outcome);
    }
}
