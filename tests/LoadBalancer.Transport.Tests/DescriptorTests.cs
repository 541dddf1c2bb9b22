using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LoadBalancer.Transport.Tests;

/// <summary>Out of descriptors (EMFILE), in a child process with a limit of its own.</summary>
[CancelAfter(60_000)]
[Platform("Linux", Reason = "sets the descriptor limit of a child process")]
internal sealed class DescriptorTests(string transport) : TransportTests(transport)
{
    private const int Turns = 50;

    [Test]
    public async Task AcceptingIsTriedOnceForEachBackOff()
    {
        using ChildProcess child = ChildProcess.Start("echo", Transport);
        IPEndPoint endPoint = await EndPointAsync(child);
        using Socket established = await ConnectAsync(endPoint);
        await PingAsync(established);
        await child.CommandAsync("fill", Token);
        using Socket waiting = await ConnectAsync(endPoint);
        for (int attempts = 1; attempts <= 3; attempts++)
        {
            while (await ErrorsAsync(child) < attempts) await PingAsync(established);
            // A loop that tried without pause would do so in each of its turns.
            for (int i = 0; i < Turns; i++) await PingAsync(established);
            Assert.That(await ErrorsAsync(child), Is.EqualTo(attempts));
            await child.CommandAsync("advance", Token);
        }
    }

    [Test]
    public async Task WhoIsConnectedIsServedAndTheOthersWhenDescriptorsAreFree()
    {
        const int Waiting = 5;
        using ChildProcess child = ChildProcess.Start("echo", Transport);
        IPEndPoint endPoint = await EndPointAsync(child);
        using Socket established = await ConnectAsync(endPoint);
        await PingAsync(established);
        await child.CommandAsync("fill", Token);
        var waiting = new List<Socket>();
        for (int i = 0; i < Waiting; i++)
        {
            Socket client = await ConnectAsync(endPoint); // by the kernel: it stands in the queue
            await client.SendAllAsync("ping"u8.ToArray(), Token);
            waiting.Add(client);
        }
        while (await ErrorsAsync(child) == 0) await PingAsync(established);
        for (int i = 0; i < Turns; i++) await PingAsync(established);
        await child.CommandAsync("free " + Waiting, Token);
        await child.CommandAsync("advance", Token);
        foreach (Socket client in waiting)
        {
            Assert.That(await client.ReceiveExactlyAsync(4, Token), Is.EqualTo("ping"u8.ToArray()));
            client.Dispose();
        }
    }

    [Test]
    public async Task ADescriptorFreedByAClientServesTheNext()
    {
        using ChildProcess child = ChildProcess.Start("echo", Transport);
        IPEndPoint endPoint = await EndPointAsync(child);
        Socket established = await ConnectAsync(endPoint);
        await PingAsync(established);
        await child.CommandAsync("fill", Token);
        using Socket waiting = await ConnectAsync(endPoint);
        while (await ErrorsAsync(child) == 0) await PingAsync(established);
        established.Shutdown(SocketShutdown.Send);
        Assert.That(await established.ReceiveToEndAsync(Token), Is.Empty); // closed by the child
        established.Dispose();
        await child.CommandAsync("advance", Token);
        await PingAsync(waiting);
    }

    [Test]
    public async Task WhoStopsAcceptingDoesNotBackOff()
    {
        using ChildProcess child = ChildProcess.Start("echo", Transport);
        IPEndPoint endPoint = await EndPointAsync(child);
        using Socket established = await ConnectAsync(endPoint);
        await PingAsync(established);
        await child.CommandAsync("fill", Token);
        Assert.That(await child.CommandAsync("hold", Token), Is.EqualTo("holding"));
        using Socket waiting = await ConnectAsync(endPoint); // stopping takes who waits, and fails in that
        int errors = int.Parse(await child.CommandAsync("stop", Token), CultureInfo.InvariantCulture);
        for (int i = 0; i < Turns; i++)
        {
            await child.CommandAsync("advance", Token);
            await PingAsync(established);
        }
        Assert.That(await ErrorsAsync(child), Is.EqualTo(errors));
    }

    [Test]
    public async Task ARequestThatNeedsADescriptorIsAnsweredWith503()
    {
        using var origin = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        origin.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        origin.Listen();
        Task serving = AnswerAsync(origin);
        using ChildProcess child = ChildProcess.Start("proxy", Transport, origin.LocalEndPoint!.ToString()!);
        IPEndPoint endPoint = await EndPointAsync(child);
        using Socket client = await ConnectAsync(endPoint);
        await AssertAnswerAsync("/before", 200, "Completed"); // and its connection is closed
        await child.CommandAsync("fill", Token);
        for (int i = 0; i < 3; i++)
        {
            await AssertAnswerAsync("/during", 503, "ResourceExhausted");
            await AssertAnswerAsync("/own", 200, "Responded"); // needs no descriptor
        }
        await child.CommandAsync("free 1", Token);
        await AssertAnswerAsync("/after", 200, "Completed");
        origin.Dispose();
        await serving;

        async Task AssertAnswerAsync(string path, int status, string reason)
        {
            Assert.That(await GetAsync(client, path), Does.StartWith($"HTTP/1.1 {status} "));
            Assert.That(await child.CommandAsync("record", Token), Is.EqualTo($"{path} {status} {reason}"));
        }
    }

    private static async Task AnswerAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                using Socket socket = await listener.AcceptAsync(Token);
                await ReadHeadAsync(socket);
                await socket.SendAllAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), Token);
                await socket.ReceiveToEndAsync(Token);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test has ended.
        }
    }

    private static async Task<string> GetAsync(Socket client, string path)
    {
        await client.SendAllAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"), Token);
        string head = await ReadHeadAsync(client);
        int at = head.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase);
        string digits = head[(at + 16)..];
        await client.ReceiveExactlyAsync(int.Parse(digits[..digits.IndexOf('\r', StringComparison.Ordinal)], CultureInfo.InvariantCulture), Token);
        return head;
    }

    private static async Task<string> ReadHeadAsync(Socket socket)
    {
        var head = new StringBuilder();
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal)) head.Append((char)(await socket.ReceiveExactlyAsync(1, Token))[0]);
        return head.ToString();
    }

    private static async Task<IPEndPoint> EndPointAsync(ChildProcess child) =>
        new(IPAddress.Loopback, int.Parse(await child.ReadLineAsync(Token), CultureInfo.InvariantCulture));

    private static async Task<int> ErrorsAsync(ChildProcess child) => int.Parse(await child.CommandAsync("errors", Token), CultureInfo.InvariantCulture);

    private static async Task<Socket> ConnectAsync(IPEndPoint endPoint)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await client.ConnectAsync(endPoint, Token);
        return client;
    }

    private static async Task PingAsync(Socket client)
    {
        await client.SendAllAsync("ping"u8.ToArray(), Token);
        Assert.That(await client.ReceiveExactlyAsync(4, Token), Is.EqualTo("ping"u8.ToArray()));
    }
}
