using LoadBalancer.Core.Timers;

namespace LoadBalancer.Core.Tests.Timers;

public class TimerWheelTests
{
    private const int Tick = TimerWheel.TickMilliseconds;
    private const long Round = 512L * Tick;

    private sealed class Timer(Action<Timer>? onTimeout = null) : LoopTimer
    {
        internal int Fired;

        protected internal override void OnTimeout()
        {
            Fired++;
            onTimeout?.Invoke(this);
        }
    }

    [TestCase(1)]
    [TestCase(49)]
    [TestCase(50)]
    [TestCase(51)]
    [TestCase(1_000)]
    [TestCase(25_599)]
    [TestCase(25_600)]
    [TestCase(25_601)]
    [TestCase(75_000)]
    [TestCase(3_600_000)]
    public void Advance_MillisecondByMillisecond_FiresWithinATickAndNeverEarly(int deadline)
    {
        var wheel = new TimerWheel(0);
        var timer = new Timer();
        wheel.Set(timer, deadline);
        long now = 0;
        for (; timer.Fired == 0 && now <= deadline + 10 * Tick; now++) wheel.Advance(now);
        long firedAt = now - 1;
        Assert.That(firedAt, Is.InRange(deadline, deadline + Tick));
        Assert.That(wheel.IsEmpty);
        Assert.That(timer.Deadline, Is.EqualTo(LoopTimer.None));
    }

    [Test, CancelAfter(30_000)]
    public void Advance_ClockThatJumpsByAgesAndAgain_FiresWhatIsDueAndKeepsTheRest(CancellationToken cancellation)
    {
        const long Ages = 1L << 50; // tick by tick this would not end
        long now = 0;
        var wheel = new TimerWheel(0);
        var due = new Timer();
        Timer rearmed = new(timer => wheel.Set(timer, now + 2 * Round));
        var later = new Timer();
        wheel.Set(due, Round + 1);
        wheel.Set(rearmed, 3 * Tick);
        wheel.Set(later, 2 * Ages + 7);

        Thread walk = new(() => wheel.Advance(now)) { IsBackground = true };
        now = Ages;
        walk.Start();
        while (!walk.Join(100)) cancellation.ThrowIfCancellationRequested();
        Assert.That((due.Fired, rearmed.Fired, later.Fired), Is.EqualTo((1, 1, 0)));

        for (now = Ages; rearmed.Fired == 1; now += Tick) wheel.Advance(now);
        Assert.That(now - Tick, Is.InRange(Ages + 2 * Round, Ages + 2 * Round + Tick));
        now = 2 * Ages + 7 + Tick;
        wheel.Advance(now);
        Assert.That((due.Fired, later.Fired), Is.EqualTo((1, 1)));
        wheel.Remove(rearmed);
        Assert.That(wheel.IsEmpty);
    }

    [TestCase(1)]
    [TestCase(7)]
    [TestCase(512)]
    [TestCase(3_000)]
    public void PreciseTimers_MillisecondByMillisecond_FireWithinOne(int deadline)
    {
        var timers = new PreciseTimers();
        timers.Advance(1_000_003);
        var timer = new Timer();
        timers.Set(timer, 1_000_003 + deadline);
        Assert.That(timers.MillisecondsToNext(50), Is.EqualTo(Math.Min(deadline, 50)));
        for (int now = 0; now < deadline; now++)
        {
            timers.Advance(1_000_003 + now);
            Assert.That(timer.Fired, Is.Zero);
        }
        timers.Advance(1_000_003 + deadline);
        Assert.That((timer.Fired, timers.IsEmpty), Is.EqualTo((1, true)));
    }

    [Test]
    public void PreciseTimers_Removed_LeaveNothingToWakeFor()
    {
        var timers = new PreciseTimers();
        var timer = new Timer();
        timers.Set(timer, 5);
        timers.Remove(timer);
        Assert.That((timers.IsEmpty, timers.MillisecondsToNext(50)), Is.EqualTo((true, 50)));
    }

    [Test]
    public void Set_DeadlinePassedAlready_FiresOnTheNextTick()
    {
        var wheel = new TimerWheel(1000);
        var timer = new Timer();
        wheel.Set(timer, 10);
        wheel.Advance(1049);
        Assert.That(timer.Fired, Is.Zero);
        wheel.Advance(1050);
        Assert.That(timer.Fired, Is.EqualTo(1));
    }

    [Test]
    public void Set_Later_MovesLazily()
    {
        var wheel = new TimerWheel(0);
        var timer = new Timer();
        wheel.Set(timer, 100);
        long queued = timer.QueuedTick;
        wheel.Set(timer, 1000);
        Assert.That(timer.QueuedTick, Is.EqualTo(queued), "a later deadline is one store");
        wheel.Advance(999);
        Assert.That(timer.Fired, Is.Zero);
        wheel.Advance(1000);
        Assert.That(timer.Fired, Is.EqualTo(1));
    }

    [Test]
    public void Set_Earlier_FiresEarlier()
    {
        var wheel = new TimerWheel(0);
        var timer = new Timer();
        wheel.Set(timer, 10_000);
        wheel.Set(timer, 100);
        wheel.Advance(100);
        Assert.That(timer.Fired, Is.EqualTo(1));
        wheel.Advance(20_000);
        Assert.That(timer.Fired, Is.EqualTo(1));
        Assert.That(wheel.IsEmpty);
    }

    [Test]
    public void Cancel_BeforeTheDeadline_NeverFires()
    {
        var wheel = new TimerWheel(0);
        var timer = new Timer();
        wheel.Set(timer, 100);
        TimerWheel.Cancel(timer);
        Assert.That(wheel.IsEmpty, Is.False, "it is taken out when its slot comes round");
        wheel.Advance(1000);
        Assert.That(timer.Fired, Is.Zero);
        Assert.That(wheel.IsEmpty);
    }

    [Test]
    public void Set_AfterCancel_Fires()
    {
        var wheel = new TimerWheel(0);
        var timer = new Timer();
        wheel.Set(timer, 100);
        TimerWheel.Cancel(timer);
        wheel.Set(timer, 500);
        wheel.Advance(499);
        Assert.That(timer.Fired, Is.Zero);
        wheel.Advance(500);
        Assert.That(timer.Fired, Is.EqualTo(1));
    }

    [Test]
    public void Remove_Armed_TakesItOutAtOnce()
    {
        var wheel = new TimerWheel(0);
        Timer[] timers = [new(), new(), new()];
        foreach (Timer timer in timers) wheel.Set(timer, 100);
        wheel.Remove(timers[1]);
        wheel.Remove(timers[1]);
        Assert.That(timers[1].QueuedTick, Is.EqualTo(-1));
        wheel.Advance(100);
        Assert.That(timers.Select(timer => timer.Fired), Is.EqualTo(new[] { 1, 0, 1 }));
        Assert.That(wheel.IsEmpty);
    }

    [Test]
    public void OnTimeout_SetsItself_FiresEachTime()
    {
        TimerWheel wheel = new(0);
        long now = 0;
        var timer = new Timer(self => wheel.Set(self, now + 100));
        wheel.Set(timer, 100);
        for (now = 1; now <= 1000; now++) wheel.Advance(now);
        Assert.That(timer.Fired, Is.EqualTo(10));
    }

    [Test]
    public void OnTimeout_SetsAPassedDeadline_FiresOnALaterTickOnly()
    {
        TimerWheel wheel = new(0);
        var timer = new Timer(self => wheel.Set(self, 0));
        wheel.Set(timer, 100);
        wheel.Advance(100);
        Assert.That(timer.Fired, Is.EqualTo(1), "or Advance would never end");
        wheel.Advance(150);
        Assert.That(timer.Fired, Is.EqualTo(2));
    }

    [Test]
    public void OnTimeout_RemovesOrCancelsOthersOfTheSameSlot_TheyDoNotFire()
    {
        TimerWheel wheel = new(0);
        List<Timer> timers = [];
        int fired = 0;
        for (int i = 0; i < 10; i++)
        {
            timers.Add(new Timer(self =>
            {
                fired++;
                foreach (Timer other in timers)
                {
                    if (other == self) continue;
                    if (timers.IndexOf(other) % 2 == 0) wheel.Remove(other);
                    else TimerWheel.Cancel(other);
                }
            }));
        }
        foreach (Timer timer in timers) wheel.Set(timer, 100);
        wheel.Advance(100);
        Assert.That(fired, Is.EqualTo(1));
        Assert.That(wheel.IsEmpty);
    }

    [Test]
    public void OnTimeout_SetsOthers_TheyFireAtTheirTime()
    {
        TimerWheel wheel = new(0);
        var second = new Timer();
        var first = new Timer(_ => wheel.Set(second, 100 + Round));
        wheel.Set(first, 100);
        wheel.Advance(100);
        wheel.Advance(100 + Round - 1);
        Assert.That(second.Fired, Is.Zero);
        wheel.Advance(100 + Round);
        Assert.That(second.Fired, Is.EqualTo(1));
    }

    [Test]
    public void Advance_AfterALongStall_FiresEverythingDueOnce([Values(30_000L, 3_600_000L, 100_000_000L)] long stall)
    {
        var wheel = new TimerWheel(0);
        Timer[] due = [.. Enumerable.Range(1, 100).Select(_ => new Timer())];
        for (int i = 0; i < due.Length; i++) wheel.Set(due[i], (i + 1) * stall / due.Length);
        var later = new Timer();
        wheel.Set(later, stall + 1);
        wheel.Advance(stall);
        Assert.That(due.Select(timer => timer.Fired), Is.All.EqualTo(1));
        Assert.That(later.Fired, Is.Zero);
        wheel.Advance(stall + Tick);
        Assert.That(later.Fired, Is.EqualTo(1));
    }

    [Test]
    public void Advance_Empty_SkipsTheTimeAtOnce()
    {
        var wheel = new TimerWheel(0);
        wheel.Advance(long.MaxValue / 4); // would take for ever tick by tick
        var timer = new Timer();
        wheel.Set(timer, long.MaxValue / 4 + 1000);
        wheel.Advance(long.MaxValue / 4 + 1000 + Tick);
        Assert.That(timer.Fired, Is.EqualTo(1));
    }

    [Test]
    public void Advance_ClockStandsStill_DoesNothing()
    {
        var wheel = new TimerWheel(0);
        var timer = new Timer();
        wheel.Set(timer, 50);
        for (int i = 0; i < 100; i++) wheel.Advance(49);
        Assert.That(timer.Fired, Is.Zero);
    }

    [Test]
    public void RandomOperations_AgreeWithTheReference([Values(1, 2, 3, 4, 5)] int seed)
    {
        var random = new Random(seed);
        long now = random.Next(100_000);
        var wheel = new TimerWheel(now);
        var due = new Dictionary<Timer, long>(); // what must fire, and when
        Timer[] timers = new Timer[200];
        long firing = 0;
        for (int i = 0; i < timers.Length; i++)
        {
            timers[i] = new Timer(self =>
            {
                firing++;
                Assert.That(due.Remove(self, out long deadline), $"seed {seed}: fired though not armed");
                Assert.That(deadline, Is.LessThanOrEqualTo(now), $"seed {seed}: early");
                if (random.Next(4) == 0) Set(self);
                if (random.Next(4) == 0) Set(timers[random.Next(timers.Length)]);
                if (random.Next(4) == 0) Remove(timers[random.Next(timers.Length)]);
            });
        }
        for (int n = 0; n < 100_000; n++)
        {
            Timer timer = timers[random.Next(timers.Length)];
            switch (random.Next(10))
            {
                case < 5: Set(timer); break;
                case 5: Cancel(timer); break;
                case 6: Remove(timer); break;
                default:
                    now += random.Next(20) == 0 ? random.Next(100_000) : random.Next(120);
                    wheel.Advance(now);
                    foreach (long deadline in due.Values)
                    {
                        if (deadline <= now - Tick) Assert.Fail($"seed {seed}: {now - deadline} ms late");
                    }
                    if (wheel.IsEmpty != timers.All(item => item.QueuedTick < 0)) Assert.Fail($"seed {seed}: the count of queued timers is wrong");
                    break;
            }
        }
        now += 200_000_000;
        while (due.Count > 0)
        {
            wheel.Advance(now);
            now += Tick;
        }
        Assert.That(firing, Is.GreaterThan(1000));

        void Set(Timer timer)
        {
            long deadline = now + (random.Next(10) == 0 ? random.Next(5_000_000) : random.Next(60_000));
            wheel.Set(timer, deadline);
            due[timer] = deadline;
        }

        void Cancel(Timer timer)
        {
            TimerWheel.Cancel(timer);
            due.Remove(timer);
        }

        void Remove(Timer timer)
        {
            wheel.Remove(timer);
            due.Remove(timer);
        }
    }
}
