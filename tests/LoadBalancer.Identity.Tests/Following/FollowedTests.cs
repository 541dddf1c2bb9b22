using System.Text;
using LoadBalancer.Identity.Following;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace LoadBalancer.Identity.Tests.Following;

[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class FollowedTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeSource _source = new();
    private int _changes;

    private Followed<string> Create(FollowOptions? options = null)
    {
        var followed = new Followed<string>("test", _source.FetchAsync, Read, options ?? new FollowOptions { BytesMax = 100 }, _time, NullLogger.Instance);
        followed.Changed += () => _changes++;
        return followed;
    }

    private static bool Read(ReadOnlySpan<byte> bytes, out string contents, out string problem)
    {
        contents = Encoding.UTF8.GetString(bytes);
        problem = contents == "bad" ? "is bad" : "";
        return problem.Length == 0;
    }

    [Test, CancelAfter(10_000)]
    public async Task Start_FetchesAtOnce_AndByInterval()
    {
        using Followed<string> followed = Create();
        Assert.That(followed.Current, Is.Null);
        _source.Answer("a");
        await followed.Start();
        Assert.That(followed.Current, Is.EqualTo("a"));
        _source.Answer("b");
        _time.Advance(TimeSpan.FromMinutes(5.6)); // jitter: 4.5 to 5.5
        await _source.Fetched(2);
        await followed.TryRefetch()!;
        Assert.That((followed.Current, _changes), Is.EqualTo(("b", 2)));
    }

    [Test, CancelAfter(10_000)]
    public async Task Fetch_ThatFails_KeepsWhatWasLastGood([Values("throws", "bad", "large", "slow", "cancelled")] string how)
    {
        using Followed<string> followed = Create();
        _source.Answer("a");
        await followed.Start();
        if (how == "throws") _source.Fail(new InvalidOperationException("down\r\nforged line"));
        else if (how == "bad") _source.Answer("bad");
        else if (how == "large") _source.Answer(new string('x', 101));
        else if (how == "cancelled") _source.Fail(new OperationCanceledException());
        else _source.Hold();
        Task fetch = followed.TryRefetch()!;
        await _source.Fetched(2);
        if (how == "slow")
        {
            while (!fetch.IsCompleted) { _time.Advance(TimeSpan.FromSeconds(5)); await Task.Yield(); }
        }
        await fetch;
        Assert.Multiple(() =>
        {
            Assert.That(followed.Current, Is.EqualTo("a"));
            Assert.That(followed.Problem, Is.Not.Null.And.Not.Contains("\n"));
            Assert.That(_changes, Is.EqualTo(1));
        });
    }

    [Test, CancelAfter(10_000)]
    public async Task TryRefetch_IsRareAndOneAtATime()
    {
        using Followed<string> followed = Create();
        _source.Answer("a");
        await followed.Start();
        _source.Hold();
        Task first = followed.TryRefetch()!;
        Assert.That(followed.TryRefetch(), Is.SameAs(first));
        await _source.Fetched(2);
        _source.Release("b");
        await first;
        Assert.That(followed.TryRefetch(), Is.Null);
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.That(followed.TryRefetch(), Is.Null);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(followed.TryRefetch(), Is.Not.Null);
    }

    [Test, CancelAfter(10_000)]
    public async Task Current_TooOld_IsNoLongerUsed()
    {
        using Followed<string> followed = Create(new FollowOptions { AgeMax = TimeSpan.FromMinutes(10), Interval = TimeSpan.FromHours(1) });
        _source.Answer("a");
        await followed.Start();
        _time.Advance(TimeSpan.FromMinutes(10));
        Assert.That(followed.Current, Is.EqualTo("a"));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(followed.Current, Is.Null);
        // The same contents again are as good as new.
        await followed.TryRefetch()!;
        Assert.That(followed.Current, Is.EqualTo("a"));
    }

    [Test, CancelAfter(10_000)]
    public async Task Fetch_ThatFails_IsTriedAgainSoon()
    {
        using Followed<string> followed = Create();
        _source.Fail(new InvalidOperationException("down"));
        await followed.Start();
        _source.Answer("a");
        _time.Advance(TimeSpan.FromSeconds(1.2));
        await _source.Fetched(2);
        await followed.TryRefetch()!;
        Assert.That(followed.Current, Is.EqualTo("a"));
    }

    [Test]
    public void TryRefetch_Disposed_DoesNothing()
    {
        Followed<string> followed = Create();
        followed.Dispose();
        followed.Dispose();
        Assert.That(followed.TryRefetch(), Is.Null);
        Assert.That(_source.Count, Is.Zero);
    }
}

/// <summary>Answers as it is told to.</summary>
internal sealed class FakeSource
{
    private readonly Lock _gate = new();
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiting = [];
    private Func<Task<byte[]>> _answer = () => Task.FromResult(Array.Empty<byte>());
    private TaskCompletionSource<byte[]> _held = new();

    internal int Count { get; private set; }

    internal void Answer(string text) => _answer = () => Task.FromResult(Encoding.UTF8.GetBytes(text));

    internal void Answer(byte[] bytes) => _answer = () => Task.FromResult(bytes);

    internal void Fail(Exception e) => _answer = () => Task.FromException<byte[]>(e);

    internal void Hold()
    {
        _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _answer = () => _held.Task;
    }

    internal void Release(string text) => _held.SetResult(Encoding.UTF8.GetBytes(text));

    internal void Release(byte[] bytes) => _held.SetResult(bytes);

    internal Task<byte[]> FetchAsync(CancellationToken token)
    {
        lock (_gate)
        {
            Count++;
            foreach ((int count, TaskCompletionSource reached) in _waiting)
                if (Count >= count) reached.TrySetResult();
            return _answer();
        }
    }

    /// <summary>Ends when that many fetches have begun.</summary>
    internal Task Fetched(int count)
    {
        lock (_gate)
        {
            if (Count >= count) return Task.CompletedTask;
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((count, reached));
            return reached.Task;
        }
    }
}
