using LoadBalancer.Simulation.Chance;

namespace LoadBalancer.Simulation.Engine;

/// <summary>Slows a server from time to time: an antagonist for exponential times, a pause for a fixed one.</summary>
internal sealed class SpeedProcess(Server server, bool isPause, double factor, long on, long off, SimRandom random)
{
    private bool _isOn;

    internal Server Server => server;

    /// <summary>Starts in the long-run state: on with the chance that it is on at any time. Returns the time of the first step.</summary>
    internal long Begin()
    {
        // Set to the opposite: the step at time 0 turns it over.
        _isOn = random.NextDouble() > (double)on / (on + off);
        return 0;
    }

    /// <summary>Turns it over; returns the time until the next step.</summary>
    internal long Step(long now)
    {
        _isOn = !_isOn;
        double current = _isOn ? factor : 1;
        if (isPause) server.PauseFactor = current;
        else server.AntagonistFactor = current;
        server.UpdateSpeed(now);
        return Math.Max(1, _isOn && isPause ? on : (long)((_isOn ? on : off) * random.NextExponential()));
    }
}
