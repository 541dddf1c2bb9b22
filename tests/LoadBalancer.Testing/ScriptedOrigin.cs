using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace LoadBalancer.Testing;

/// <summary>A server whose every byte a test decides. The script runs once for each connection.</summary>
public sealed class ScriptedOrigin : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _tasks = [];
    private int _connections;

    public ScriptedOrigin(Func<RawClient, int, CancellationToken, Task> script, EndPoint? endPoint = null)
    {
        endPoint ??= new IPEndPoint(IPAddress.Loopback, 0);
        _listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        _listener.Bind(endPoint);
        _listener.Listen(4096);
        EndPoint = _listener.LocalEndPoint!;
        _tasks.Add(AcceptAsync(script));
    }

    /// <summary>Answers every request with the same bytes, keeping the connection.</summary>
    public static ScriptedOrigin Answering(string response) => new(Always(response));

    /// <summary>Answers every request with the head that it was sent, keeping the connection.</summary>
    public static ScriptedOrigin AnsweringWithHead() => new(async (connection, _, token) =>
    {
        while (true)
        {
            string head = await connection.ReadUntilAsync("\r\n\r\n", token);
            await connection.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {head.Length}\r\n\r\n{head}", token);
        }
    });

    /// <summary>One that speaks TLS from the first byte.</summary>
    public static ScriptedOrigin OverTls(X509Certificate2 certificate, Func<RawClient, int, CancellationToken, Task> script, Action<SslServerAuthenticationOptions>? configure = null) =>
        new(async (connection, number, token) =>
        {
            await connection.AcceptTlsAsync(TlsOptions(certificate, configure), token);
            await script(connection, number, token);
        });

    /// <summary>How a server shows that certificate; HTTP/1.1 by ALPN.</summary>
    public static SslServerAuthenticationOptions TlsOptions(X509Certificate2 certificate, Action<SslServerAuthenticationOptions>? configure = null)
    {
        var options = new SslServerAuthenticationOptions { ServerCertificate = certificate, ApplicationProtocols = [SslApplicationProtocol.Http11] };
        configure?.Invoke(options);
        return options;
    }

    /// <summary>A script that answers every request with the same bytes, keeping the connection.</summary>
    public static Func<RawClient, int, CancellationToken, Task> Always(string response) => async (connection, _, token) =>
    {
        while (true)
        {
            await connection.ReadUntilAsync("\r\n\r\n", token);
            await connection.SendAsync(response, token);
        }
    };

    public EndPoint EndPoint { get; }

    public int Port => ((IPEndPoint)EndPoint).Port;

    public string Address => EndPoint is UnixDomainSocketEndPoint ? $"unix:{EndPoint}" : EndPoint.ToString()!;

    public int Connections => Volatile.Read(ref _connections);

    private async Task AcceptAsync(Func<RawClient, int, CancellationToken, Task> script)
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptAsync(_stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
            int number = Interlocked.Increment(ref _connections);
            _ = RunAsync(script, RawClient.Accepted(socket), number);
        }
    }

    private async Task RunAsync(Func<RawClient, int, CancellationToken, Task> script, RawClient connection, int number)
    {
        using (connection)
        {
            try
            {
                await script(connection, number, _stop.Token);
            }
            catch (Exception e) when (e is AuthenticationException or IOException or OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // The other side, or the test, has ended it.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await Task.WhenAll(_tasks);
        _stop.Dispose();
    }
}
