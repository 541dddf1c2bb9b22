using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Events;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.Core.Tests.Events;

/// <summary>The ring of events, and what keeps clients from filling it.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All), CancelAfter(30_000)]
public sealed class ServerEventsTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 29, 12, 0, 0, TimeSpan.Zero));

    [Test]
    public void Since_MoreThanFit_ReturnsTheLastWithTheirNumbers()
    {
        var events = new ServerEvents(_time);
        Assert.That(events.Since(0), Is.Empty);
        for (int i = 1; i <= ServerEvents.Capacity + 10; i++) events.Add(ServerEventKind.Banned, $"{i}", "");
        IReadOnlyList<ServerEvent> all = events.Since(0);
        Assert.That(all.Select(one => one.Sequence), Is.EqualTo(Enumerable.Range(11, ServerEvents.Capacity)));
        Assert.That(all.Select(one => one.Subject), Is.EqualTo(all.Select(one => $"{one.Sequence}")));
        Assert.That(events.Since(events.LastSequence), Is.Empty);
        Assert.That(events.Since(events.LastSequence + 100), Is.Empty);
        Assert.That(events.Since(-5, 2).Select(one => one.Sequence), Is.EqualTo(new[] { 11, 12 }));
    }

    [Test]
    public void Add_LongText_IsCut()
    {
        ServerEvent added = new ServerEvents(_time).Add(ServerEventKind.Banned, new string('s', 10_000), new string('t', 10_000), "who");
        Assert.That((added.Subject.Length, added.Text.Length, added.Text[^1], added.Actor, added.Time), Is.EqualTo((ServerEvents.TextLengthMax, ServerEvents.TextLengthMax, '…', "who", _time.GetUtcNow())));
    }

    [Test]
    public async Task WaitAsync_EndsWithTheNextEvent(CancellationToken token)
    {
        var events = new ServerEvents(_time);
        Task waiting = events.WaitAsync(0, token);
        Assert.That(waiting.IsCompleted, Is.False);
        events.Add(ServerEventKind.ServerStarted, "", "");
        await waiting;
        Assert.That(events.WaitAsync(0, token).IsCompletedSuccessfully, Is.True);
        using var ended = new CancellationTokenSource();
        Task cancelled = events.WaitAsync(1, ended.Token);
        await ended.CancelAsync();
        Assert.That(async () => await cancelled, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void Add_ByManyThreads_GivesEachNumberOnce()
    {
        var events = new ServerEvents(_time);
        var seen = new System.Collections.Concurrent.ConcurrentBag<long>();
        Parallel.For(0, 2000, i => seen.Add(events.Add(ServerEventKind.Refusals, $"{i}", "").Sequence));
        Assert.That(seen.Order(), Is.EqualTo(Enumerable.Range(1, 2000)));
        Assert.That(events.Since(0).Select(one => one.Sequence), Is.EqualTo(Enumerable.Range(2000 - ServerEvents.Capacity + 1, ServerEvents.Capacity)));
    }

    [Test]
    public void Refusals_ByTheThousand_AreFewEvents()
    {
        var events = new ServerEvents(_time);
        using var tally = new RefusalTally(events, _time);
        var record = new CompletionRecord();
        void Refuse(int count)
        {
            for (int i = 0; i < count; i++) tally.Note(record, EndReason.RateLimited, "per-client", isDryRun: false);
        }

        Refuse(5000);
        Assert.That(events.Since(0).Single().Text, Does.StartWith("refuses (RateLimited): the first is "));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(events.Since(1).Single().Text, Is.EqualTo("has refused 4999 more since 12:00:00 UTC (RateLimited)"));
        // While it goes on, ever more rarely.
        for (int minute = 0; minute < 24 * 60; minute++)
        {
            Refuse(10);
            _time.Advance(TimeSpan.FromMinutes(1));
        }
        Assert.That(events.Since(2), Has.Count.InRange(20, 40), "about one in an hour");
        RefusalView view = tally.View().Single();
        Assert.That((view.Reason, view.Policy, view.DryRun, view.Total, view.IsRecent), Is.EqualTo(("RateLimited", "per-client", false, 5000L + 24 * 60 * 10, true)));

        // When it is over, the next one is news again.
        for (int hour = 0; hour < 3; hour++) _time.Advance(TimeSpan.FromHours(1)); // a timer that is set anew counts from the end of a step
        Assert.That(tally.View().Single().IsRecent, Is.False);
        long last = events.LastSequence;
        Refuse(1);
        Assert.That(events.Since(last).Single().Text, Does.Contain("the first is"));
    }

    [Test]
    public void Refusals_OfMorePoliciesThanThereAreRows_AreCountedTogether()
    {
        using var tally = new RefusalTally(new ServerEvents(_time), _time);
        var record = new CompletionRecord();
        for (int i = 0; i < 1000; i++) tally.Note(record, EndReason.RequestBlocked, $"rule-{i}", isDryRun: i % 2 == 0);
        IReadOnlyList<RefusalView> rows = tally.View();
        Assert.That((rows.Count, rows[^1].Policy, rows.Sum(row => row.Total)), Is.EqualTo((256, "others", 1000L)));
    }

    [Test]
    public void BansByTheThousand_AreFewEvents()
    {
        var events = new ServerEvents(_time);
        var bans = new BanEvents(events, _time);
        for (int i = 0; i < 1000; i++) bans.Banned($"10.0.{i / 256}.{i % 256}", "why");
        Assert.That(events.LastSequence, Is.EqualTo(10));
        _time.Advance(TimeSpan.FromMinutes(1));
        bans.Banned("10.1.0.0", "why");
        Assert.That(events.Since(10).Select(one => one.Text), Is.EqualTo(new[] { "990 more addresses were banned in the minute of the last bans", "why" }));
    }

    [Test]
    public void StatusHistory_KeepsTheLast()
    {
        var history = new StatusHistory();
        for (int i = 0; i < 20; i++) history.Add(new StatusChange(_time.GetUtcNow(), ServerEventKind.DestinationEjected, $"{i}", null));
        Assert.That(history.List().Select(change => change.Text), Is.EqualTo(Enumerable.Range(12, StatusHistory.Capacity).Select(i => $"{i}")));
    }
}
