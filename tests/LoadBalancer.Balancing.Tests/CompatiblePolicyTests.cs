namespace LoadBalancer.Balancing.Tests;

/// <summary>Policies that are to do what another product does, against plain transcriptions of its rule.</summary>
public class CompatiblePolicyTests
{
    // nginx ngx_http_upstream_least_time: in milliseconds and whole numbers.
    private sealed class NginxPeer(int weight)
    {
        private long _average, _since;
        internal int Connections;

        internal double Score(long nowSeconds)
        {
            long time = _average >> (int)((nowSeconds - _since) / 11);
            time = time > 5000 ? 5000 : time + 20 - time % 20;
            return (double)time * (1 + Connections) / weight;
        }

        internal void Answered(long milliseconds, long nowSeconds)
        {
            _average = _average == 0 ? milliseconds : (long)(0.5 + 0.05 * milliseconds + 0.95 * _average);
            _since = nowSeconds;
        }
    }

    [Test]
    public void LeastTime_RandomHistory_PicksOfTheLowestScores()
    {
        int[] weights = [1, 1, 2, 3, 1];
        Scheduler scheduler = Make.Scheduler(new LeastTimePolicy(), weights);
        NginxPeer[] peers = [.. weights.Select(weight => new NginxPeer(weight))];
        var random = new Random(3);
        var underWay = new List<PickLease>();
        for (int i = 0; i < 5000; i++)
        {
            long now = i / 4 * Make.Second; // whole seconds, as nginx counts them from the same start
            if (underWay.Count > random.Next(25))
            {
                PickLease done = underWay[random.Next(underWay.Count)];
                underWay.Remove(done);
                int d = (int)done.Destination.Tag!;
                long milliseconds = random.Next(1, 80 * (d + 1));
                peers[d].Connections--;
                peers[d].Answered(milliseconds, now / Make.Second);
                done.Complete(new(PickOutcomeKind.Success, 0, milliseconds * Make.Millisecond, now - done.StartTimestamp));
            }
            PickLease lease = scheduler.Pick(new PickContext(now));
            int picked = (int)lease.Destination.Tag!;
            Assert.That(peers[picked].Score(now / Make.Second), Is.EqualTo(peers.Min(peer => peer.Score(now / Make.Second))), $"pick {i}");
            peers[picked].Connections++;
            underWay.Add(lease);
        }
    }

    [Test]
    public void LeastTime_EqualAndNothingUnderWay_TakesTurns() =>
        Assert.That(Make.Scheduler(new LeastTimePolicy(), Make.Ones(4)).Count(40), Is.All.EqualTo(10));

    // Finagle's PeakEwma.Metric, in nanoseconds.
    private sealed class FinagleMetric(double tau, long now)
    {
        private long _stamp = now;
        internal int Pending;
        internal double Cost;

        internal void Observe(double roundTrip, long nowNanoseconds)
        {
            double weight = Math.Exp(-Math.Max(nowNanoseconds - _stamp, 0) / tau);
            Cost = roundTrip > Cost ? roundTrip : Cost * weight + roundTrip * (1 - weight);
            _stamp = nowNanoseconds;
        }

        internal double Load(long nowNanoseconds)
        {
            Observe(0, nowNanoseconds);
            return Cost == 0 && Pending > 0 ? (1L << 47) + Pending : Cost * (Pending + 1);
        }
    }

    // A TCP connection lasts as long as its client likes: what is learned is the time to connect.
    [TestCase("peak-ewma")]
    [TestCase("latency-weighted")]
    public void Complete_WithALatencyOfItsOwn_IsNotJudgedByItsLength(string policy)
    {
        Scheduler scheduler = Make.Scheduler(BalancingPolicies.Create(policy), Make.Ones(2));
        long now = 0;
        for (int i = 0; i < 50; i++)
        {
            // "a" connects quickly and is used for two seconds, "b" connects slowly and is used for one.
            foreach ((int destination, long connect, long total) in new[] { (0, Make.Millisecond, 2 * Make.Second), (1, 200 * Make.Millisecond, Make.Second) })
                scheduler.PickThis(scheduler.Destinations[destination], now).Complete(new PickOutcome(PickOutcomeKind.Success, 0, connect, total) { LatencyTicks = connect });
            now += 2 * Make.Second;
        }
        int[] counts = scheduler.Count(200, new PickContext(now));
        Assert.That(counts[0], Is.GreaterThan(counts[1]));
    }

    [Test]
    public void PeakEwma_RandomHistory_HasFinaglesCosts()
    {
        var load = new PeakEwmaLoad(TimeSpan.FromSeconds(10), 1_000_000_000);
        Scheduler scheduler = Make.Scheduler(new PeakEwmaPolicy(), [1], Make.Options() with { TimestampFrequency = 1_000_000_000 });
        Destination destination = scheduler.Destinations[0];
        var metric = new FinagleMetric(10e9, 0);
        var random = new Random(8);
        long now = 1;
        for (int i = 0; i < 5000; i++)
        {
            now += random.NextInt64(2_000_000_000);
            switch (random.Next(4))
            {
                case 0:
                    destination.TryReserve(now, out metric.Pending);
                    break;
                case 1 when metric.Pending > 0:
                    metric.Pending = destination.Release();
                    break;
                case 2:
                    long roundTrip = random.NextInt64(100_000_000);
                    metric.Observe(roundTrip, now);
                    load.Learn(destination, new(PickOutcomeKind.Success, 0, 1, roundTrip), now);
                    break;
                default:
                    Assert.That(load.Of(destination, 1, now), Is.EqualTo(metric.Load(now)).Within(1e-9).Percent);
                    break;
            }
        }
    }

    [Test]
    public void PeakEwma_OneSlow_IsAvoided()
    {
        Scheduler scheduler = Make.Scheduler(new PeakEwmaPolicy(), Make.Ones(8));
        var service = new VirtualService(scheduler, (d, _, random) => (VirtualService.Around(d == 0 ? 200 : 10, random), PickOutcomeKind.Success), 2000);
        service.RunTo(2);
        int[] picks = service.RunTo(6);
        Assert.That(picks[0] / (double)picks.Sum(), Is.LessThan(0.04));
    }
}
