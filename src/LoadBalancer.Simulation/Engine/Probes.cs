using LoadBalancer.Balancing;

namespace LoadBalancer.Simulation.Engine;

/// <summary>Carries the probes that a policy asks for to the servers and back, each way in the time its request takes.</summary>
internal sealed class Probes(Server[] servers, Scheduler[] schedulers, EventHeap events)
{
    private const int PerPickMax = 8;
    private readonly Destination[] _targets = new Destination[PerPickMax];
    private Probe[] _probes = new Probe[64]; // under way
    private int _used, _free = -1;

    /// <summary>Sends what the policy wants after a pick.</summary>
    internal void Send(int balancer, long delay, long now)
    {
        int count = schedulers[balancer].TakeProbes(_targets);
        for (int i = 0; i < count; i++)
        {
            var server = (Server)_targets[i].Tag!;
            if (server.Condition == ServerCondition.Down) continue; // never answered
            if (delay == 0) schedulers[balancer].Probed(_targets[i], server.AnswerProbe(), now);
            else
            {
                int slot = Take();
                _probes[slot] = new Probe(balancer, server.Index, _targets[i], delay, default, -1);
                events.Push(now + delay, EventKind.ProbeAtServer, slot);
            }
        }
    }

    internal void AtServer(int slot, long now)
    {
        Probe probe = _probes[slot];
        _probes[slot] = probe with { Result = servers[probe.Server].AnswerProbe() };
        events.Push(now + probe.Delay, EventKind.ProbeAnswer, slot);
    }

    internal void Answer(int slot, long now)
    {
        Probe probe = _probes[slot];
        schedulers[probe.Balancer].Probed(probe.Destination, probe.Result, now);
        _probes[slot] = probe with { NextFree = _free };
        _free = slot;
    }

    private int Take()
    {
        if (_free >= 0)
        {
            int slot = _free;
            _free = _probes[slot].NextFree;
            return slot;
        }
        if (_used == _probes.Length) Array.Resize(ref _probes, 2 * _used);
        return _used++;
    }

    private readonly record struct Probe(int Balancer, int Server, Destination Destination, long Delay, ProbeResult Result, int NextFree);
}
