namespace LoadBalancer.Simulation.Chance;

/// <summary>When requests come. Rates are in requests per nanosecond.</summary>
internal abstract class ArrivalProcess
{
    /// <summary>Time of the next arrival after the one at <paramref name="now"/>.</summary>
    internal abstract double NextAfter(double now, SimRandom random);
}

internal sealed class PoissonArrivals(double rate) : ArrivalProcess
{
    internal override double NextAfter(double now, SimRandom random) => now + random.NextExponential() / rate;
}

internal sealed class EvenArrivals(double rate) : ArrivalProcess
{
    internal override double NextAfter(double now, SimRandom random) => now + 1 / rate;
}

/// <summary>Poisson at two rates in turn, each for an exponential time (MMPP-2), with a given mean rate.</summary>
internal sealed class BurstyArrivals : ArrivalProcess
{
    private readonly double _offRate, _onRate, _offMean, _onMean;
    private bool _isOn = true; // flipped by the first call
    private double _until;

    internal BurstyArrivals(double rate, double factor, double onMean, double offMean)
    {
        (_onMean, _offMean) = (onMean, offMean);
        _offRate = rate * (onMean + offMean) / (factor * onMean + offMean);
        _onRate = factor * _offRate;
    }

    internal override double NextAfter(double now, SimRandom random)
    {
        while (true)
        {
            double next = now + random.NextExponential() / (_isOn ? _onRate : _offRate);
            if (next <= _until) return next;
            // Memoryless: what was drawn beyond the change is drawn again at the new rate.
            now = _until;
            _isOn = !_isOn;
            _until += random.NextExponential() * (_isOn ? _onMean : _offMean);
        }
    }
}

/// <summary>Poisson at a rate that follows a line through points, by thinning (Lewis and Shedler 1979).</summary>
internal sealed class ProfiledArrivals(double rate, (double At, double Factor)[] points) : ArrivalProcess
{
    private readonly double _factorMax = points.Max(point => point.Factor);

    internal override double NextAfter(double now, SimRandom random)
    {
        while (true)
        {
            now += random.NextExponential() / (rate * _factorMax);
            if (random.NextDouble() * _factorMax <= FactorAt(now)) return now;
        }
    }

    private double FactorAt(double time)
    {
        if (time <= points[0].At) return points[0].Factor;
        for (int i = 1; i < points.Length; i++)
        {
            if (time > points[i].At) continue;
            (double at, double factor) = points[i - 1];
            return factor + (points[i].Factor - factor) * (time - at) / Math.Max(1, points[i].At - at);
        }
        return points[^1].Factor;
    }
}
