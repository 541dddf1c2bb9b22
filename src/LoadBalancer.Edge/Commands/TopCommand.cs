using System.CommandLine;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using LoadBalancer.Admin;
using LoadBalancer.Admin.Dashboard;
using LoadBalancer.Admin.Endpoints;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Edge.Top;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb top</c></summary>
internal static class TopCommand
{
    private const int WidthDefault = 80, RatesMax = 500, EventsMax = 50;
    private static readonly TimeSpan IntervalMin = TimeSpan.FromMilliseconds(100), IntervalMax = TimeSpan.FromMinutes(1);

    internal static Command Create()
    {
        var once = new Option<bool>("--once") { Description = "Show one interval, and end: for scripts" };
        var interval = new Option<string>("--interval", "-i") { Description = "Time between two looks", DefaultValueFactory = _ => "1s", HelpName = "time" };
        var command = new ExplainedCommand("top", "Shows what a running balancer does, again and again: requests, latencies, destinations, refusals, events.", $"""
            Ends with Ctrl+C. Without a terminal each look is printed below the one before. NO_COLOR and COLUMNS are heeded.

            Examples:
              lb top
              lb top --once
              lb top --interval 5s --admin 127.0.0.1:9900

            Over TCP the token comes from the environment: {AdminAsk.TokenVariable}.
            Exit codes: 0 done, 1 nobody there, 2 wrong usage.
            """) { once, interval, AdminAsk.Admin };
        command.Validators.Add(result =>
        {
            if (result.GetResult(interval) is not { Implicit: false }) return;
            string given = result.GetValue(interval) ?? "";
            if (!DurationText.TryParse(given, out TimeSpan time) || time < IntervalMin || time > IntervalMax) result.AddError($"{CharacterText.Quote(given)} is no interval; expected 100ms to 1m");
        });
        command.SetAction((parsed, cancellation) =>
        {
            _ = DurationText.TryParse(parsed.GetValue(interval)!, out TimeSpan time);
            return RunAsync(parsed, time, parsed.GetValue(once), cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, TimeSpan interval, bool once, CancellationToken cancellation)
    {
        if (AdminAsk.Client(parsed, out string address) is not { } client) return ExitCode.Usage;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        void End(PosixSignalContext context)
        {
            context.Cancel = true;
            ended.Cancel();
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End), terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        bool isTerminal = !once && !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");
        bool hasColor = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb") && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        Console.OutputEncoding = new UTF8Encoding(false);
        if (isTerminal) Console.Out.Write("\e[?1049h\e[?25l"); // another screen, so that the one before is there again at the end; no cursor
        try
        {
            await ShowAsync(client, interval, once, isTerminal, hasColor, ended.Token);
            return ExitCode.Ok;
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return ExitCode.Ok;
        }
        catch (Exception e) when (e is SocketException or IOException or JsonException)
        {
            if (isTerminal) Console.Out.Write("\e[?25h\e[?1049l");
            isTerminal = false;
            Console.Error.WriteLine($"lb: no answer from the admin listener at {address}: {AdminAsk.Reason(e)}");
            return ExitCode.Problem;
        }
        finally
        {
            if (isTerminal) Console.Out.Write("\e[?25h\e[?1049l");
        }
    }

    private static async Task ShowAsync(AdminClient client, TimeSpan interval, bool once, bool isTerminal, bool hasColor, CancellationToken ended)
    {
        var rates = new List<double>();
        var events = new List<EventEntry>();
        DashboardEntry before = await AskAsync(client, 0, ended);
        events.AddRange(before.Events);
        do
        {
            await Task.Delay(interval, ended);
            DashboardEntry now = await AskAsync(client, before.LastEvent, ended);
            if (now.UptimeSeconds < before.UptimeSeconds)
            {
                // Another process: its counts begin anew.
                rates.Clear();
                events.Clear();
                before = now;
            }
            events.AddRange(now.Events);
            if (events.Count > EventsMax) events.RemoveRange(0, events.Count - EventsMax);
            var sample = new TopSample(before, now);
            rates.Add(sample.RequestsPerSecond);
            if (rates.Count > RatesMax) rates.RemoveAt(0);
            (int width, int height) = Size();
            IReadOnlyList<string> lines = new TopScreen(width, hasColor).Lay(sample, rates, events);
            if (isTerminal)
            {
                // Over what is there, line by line: nothing flickers.
                var frame = new StringBuilder("\e[H");
                frame.AppendJoin("\e[K\r\n", lines.Take(Math.Max(1, height - 1))).Append("\e[K\e[J");
                Console.Out.Write(frame);
            }
            else
            {
                foreach (string line in lines) Console.Out.WriteLine(line);
                if (!once) Console.Out.WriteLine();
            }
            Console.Out.Flush();
            before = now;
        }
        while (!once);
    }

    private static async Task<DashboardEntry> AskAsync(AdminClient client, long since, CancellationToken ended)
    {
        (int status, byte[] answer) = await client.SendAsync("GET", string.Create(CultureInfo.InvariantCulture, $"/dashboard.json?since={since}"), null, ended);
        if (status != 200) throw new IOException(JsonSerializer.Deserialize(answer, AdminJson.Default.Problem)?.Detail ?? $"status {status}");
        return JsonSerializer.Deserialize(answer, AdminJson.Default.DashboardEntry) is { Requests: { ByClass.Count: 6, Durations: not null, Bounds.Count: > 0 }, Ends: not null, Connections: not null, Clusters: not null, Refusals: not null, Certificates: not null, Events: not null } entry
            ? entry : throw new JsonException();
    }

    private static (int Width, int Height) Size()
    {
        if (int.TryParse(Environment.GetEnvironmentVariable("COLUMNS"), NumberStyles.None, CultureInfo.InvariantCulture, out int columns) && columns is > 0 and < 10_000) return (columns, HeightOf());
        try
        {
            return Console.IsOutputRedirected || Console.WindowWidth <= 0 ? (WidthDefault, HeightOf()) : (Console.WindowWidth, HeightOf());
        }
        catch (IOException)
        {
            return (WidthDefault, HeightOf());
        }
    }

    private static int HeightOf()
    {
        const int HeightDefault = 24;
        try
        {
            return Console.IsOutputRedirected || Console.WindowHeight <= 0 ? HeightDefault : Console.WindowHeight;
        }
        catch (IOException)
        {
            return HeightDefault;
        }
    }
}
