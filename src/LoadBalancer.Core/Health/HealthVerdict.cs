namespace LoadBalancer.Core.Health;

/// <summary>
/// Makes a verdict out of results of probes: the first decides alone, later ones only when as many in a row speak against it as configured.
/// </summary>
internal struct HealthVerdict(int fall, int rise, bool isHealthy)
{
    private bool _isKnown;
    private int _against;

    /// <summary>The verdict; what was assumed before the first result.</summary>
    internal bool IsHealthy { get; private set; } = isHealthy;

    /// <summary>Takes a result in; true when the verdict has changed.</summary>
    internal bool Add(bool isGood)
    {
        bool isFirst = !_isKnown;
        _isKnown = true;
        if (isGood == IsHealthy)
        {
            _against = 0;
            return false;
        }
        if (!isFirst && ++_against < (IsHealthy ? fall : rise)) return false;
        _against = 0;
        IsHealthy = isGood;
        return true;
    }
}
