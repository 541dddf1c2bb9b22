using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using LoadBalancer.Edge.Systemd;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>What systemd is told, by a real process and a real socket.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All)]
public sealed class SystemdTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-test-").FullName;
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    public void Dispose()
    {
        _socket.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [TestCase(false), TestCase(true)]
    [CancelAfter(60_000)]
    public async Task TheServiceIsReadyTurnsAndStops(bool isAbstract, CancellationToken cancellationToken)
    {
        string address = isAbstract ? $"@{_directory}" : $"{_directory}/notify";
        _socket.Bind(new UnixDomainSocketEndPoint(isAbstract ? $"\0{_directory}" : address));
        using LbProcess lb = LbProcess.StartIn(_directory, [new("NOTIFY_SOCKET", address), new("WATCHDOG_USEC", "100000"), new("XDG_RUNTIME_DIR", _directory)], "run", "--listen", "127.0.0.1:0", "--to", "localhost:1");
        Assert.That(await ReceiveAsync(cancellationToken), Is.EqualTo("READY=1"));
        for (int i = 0; i < 3; i++) Assert.That(await ReceiveAsync(cancellationToken), Is.EqualTo("WATCHDOG=1"));
        await lb.SignalAsync("TERM", cancellationToken);
        string said = await ReceiveAsync(cancellationToken);
        while (said == "WATCHDOG=1") said = await ReceiveAsync(cancellationToken);
        Assert.That(said, Is.EqualTo("STOPPING=1"));
        LbResult result = await lb.EndAsync(cancellationToken);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
    }

    [Test, CancelAfter(60_000)]
    public async Task AReloadBySignalIsToldFromItsBeginToItsEndGoodOrNot(CancellationToken cancellationToken)
    {
        string address = $"{_directory}/notify", file = $"{_directory}/lb.json";
        _socket.Bind(new UnixDomainSocketEndPoint(address));
        await WriteAsync("one");
        using LbProcess lb = LbProcess.StartIn(_directory, [new("NOTIFY_SOCKET", address), new("XDG_RUNTIME_DIR", _directory)], "run", "--config", file);
        Assert.That(await ReceiveAsync(cancellationToken), Is.EqualTo("READY=1"));
        foreach ((string body, string logged) in ((string, string)[])[("two", "[5006] Reloaded"), ("two\", \"bdy\": \"", "[5008] Refused to reload")])
        {
            await WriteAsync(body);
            long before = Microseconds();
            await lb.SignalAsync("HUP", cancellationToken);
            // systemd takes no word for the answer to its signal that is older than that.
            Assert.That(MonotonicOf(await ReceiveAsync(cancellationToken)), Is.InRange(before, Microseconds()), body);
            Assert.That(await ReceiveAsync(cancellationToken), Is.EqualTo("READY=1"), body);
            await lb.ErrorLineAsync(logged, cancellationToken);
        }
        await lb.SignalAsync("TERM", cancellationToken);
        Assert.That(await ReceiveAsync(cancellationToken), Is.EqualTo("STOPPING=1"));

        Task WriteAsync(string body) =>
            File.WriteAllTextAsync(file, $$"""{ "admin": "off", "listeners": { "web": { "address": "127.0.0.1:0" } }, "routes": { "all": { "respond": { "body": "{{body}}" } } } }""", cancellationToken);
    }

    [Test, CancelAfter(30_000)]
    public async Task TheTimeOfAReloadIsThatOfTheKernelsMonotonicClock(CancellationToken cancellationToken)
    {
        _socket.Bind(new UnixDomainSocketEndPoint($"{_directory}/notify"));
        using ServiceManager manager = ServiceManager.Find(name => name == "NOTIFY_SOCKET" ? $"{_directory}/notify" : null, TimeProvider.System, NullLogger.Instance)!;
        for (int i = 0; i < 20; i++)
        {
            long before = Microseconds();
            manager.Reloading();
            Assert.That(MonotonicOf(await ReceiveAsync(cancellationToken)), Is.InRange(before, Microseconds()));
        }
    }

    [Test, CancelAfter(60_000)]
    public async Task NobodyIsToldOfAWatchdogThatIsNotForThisProcess(CancellationToken cancellationToken)
    {
        string address = $"{_directory}/notify";
        _socket.Bind(new UnixDomainSocketEndPoint(address));
        using LbProcess lb = LbProcess.StartIn(_directory, [new("NOTIFY_SOCKET", address), new("WATCHDOG_USEC", "100000"), new("WATCHDOG_PID", "1"), new("XDG_RUNTIME_DIR", _directory)], "run", "--listen", "127.0.0.1:0", "--to", "localhost:1");
        Assert.That(await ReceiveAsync(cancellationToken), Is.EqualTo("READY=1"));
        await lb.SignalAsync("TERM", cancellationToken);
        Assert.That(await ReceiveAsync(cancellationToken), Is.EqualTo("STOPPING=1"));
    }

    [Test, CancelAfter(60_000)]
    public async Task WhoCannotBeToldIsALineInTheLogAndNothingElse(CancellationToken cancellationToken)
    {
        using LbProcess lb = LbProcess.StartIn(_directory, [new("NOTIFY_SOCKET", $"{_directory}/nobody"), new("XDG_RUNTIME_DIR", _directory)], "run", "--listen", "127.0.0.1:0", "--to", "localhost:1");
        await lb.ErrorLineAsync("[5102] systemd cannot be told how the service is: ", cancellationToken);
        await lb.LineAsync("Ready.", cancellationToken);
        await lb.SignalAsync("TERM", cancellationToken);
        Assert.That((await lb.EndAsync(cancellationToken)).ExitCode, Is.Zero);
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("@")]
    [TestCase("relative")]
    [TestCase("vsock:2:1234")]
    public void NobodyIsAskedByWhatIsNoAddress(string? address) =>
        Assert.That(ServiceManager.Find(name => name == "NOTIFY_SOCKET" ? address : null, TimeProvider.System, NullLogger.Instance), Is.Null);

    [Test]
    public void AnAddressThatIsTooLongIsNone() =>
        Assert.That(ServiceManager.Find(_ => "/" + new string('x', 200), TimeProvider.System, NullLogger.Instance), Is.Null);

    // clock_gettime(CLOCK_MONOTONIC), the same for all processes.
    private static long Microseconds() => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000);

    private static long MonotonicOf(string said)
    {
        const string Start = "RELOADING=1\nMONOTONIC_USEC=";
        Assert.That(said, Does.StartWith(Start));
        return long.Parse(said[Start.Length..], NumberStyles.None, CultureInfo.InvariantCulture);
    }

    private async Task<string> ReceiveAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[64];
        return Encoding.ASCII.GetString(buffer, 0, await _socket.ReceiveAsync(buffer, cancellationToken));
    }
}
