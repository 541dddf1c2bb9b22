using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace LoadBalancer.Discovery.Tests;

/// <summary>A name server, by UDP and TCP on one port, that answers each query with the datagrams that the test says.</summary>
internal sealed class DnsOrigin : IAsyncDisposable
{
    private readonly Socket _udp, _tcp;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<DnsQuery> _asked = Channel.CreateUnbounded<DnsQuery>();
    private readonly Task _running;

    internal DnsOrigin(Func<DnsQuery, IEnumerable<byte[]>> answer)
    {
        Answer = answer;
        (_udp, _tcp) = Bind();
        _running = Task.WhenAll(ServeUdpAsync(), ServeTcpAsync());
    }

    internal Func<DnsQuery, IEnumerable<byte[]>> Answer { get; set; }

    internal IPEndPoint EndPoint => (IPEndPoint)_udp.LocalEndPoint!;

    internal string Address => EndPoint.ToString();

    internal async Task<DnsQuery> NextAsync(CancellationToken token) => await _asked.Reader.ReadAsync(token);

    // What is free for one protocol may be taken for the other.
    private static (Socket Udp, Socket Tcp) Bind()
    {
        while (true)
        {
            var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            udp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            try
            {
                tcp.Bind(udp.LocalEndPoint!);
                tcp.Listen();
                return (udp, tcp);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                udp.Dispose();
                tcp.Dispose();
            }
        }
    }

    private async Task ServeUdpAsync()
    {
        byte[] buffer = new byte[4096];
        try
        {
            while (true)
            {
                SocketReceiveFromResult received = await _udp.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), _stop.Token);
                var query = new DnsQuery(buffer[..received.ReceivedBytes], IsTcp: false);
                foreach (byte[] datagram in Answer(query)) await _udp.SendToAsync(datagram, received.RemoteEndPoint, _stop.Token);
                _asked.Writer.TryWrite(query);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task ServeTcpAsync()
    {
        try
        {
            while (true)
            {
                using Socket socket = await _tcp.AcceptAsync(_stop.Token);
                using var stream = new NetworkStream(socket);
                byte[] prefix = new byte[2];
                await stream.ReadExactlyAsync(prefix, _stop.Token);
                byte[] bytes = new byte[BinaryPrimitives.ReadUInt16BigEndian(prefix)];
                await stream.ReadExactlyAsync(bytes, _stop.Token);
                var query = new DnsQuery(bytes, IsTcp: true);
                foreach (byte[] message in Answer(query))
                {
                    BinaryPrimitives.WriteUInt16BigEndian(prefix, (ushort)message.Length);
                    await stream.WriteAsync((byte[])[.. prefix, .. message], _stop.Token);
                }
                _asked.Writer.TryWrite(query);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _udp.Dispose();
        _tcp.Dispose();
        _stop.Dispose();
    }
}

/// <summary>A query, and the answers to it.</summary>
internal sealed record DnsQuery(byte[] Bytes, bool IsTcp)
{
    internal const byte NoError = 0, ServFail = 2, NxDomain = 3;

    internal ushort Type => BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(Bytes.Length - 4));

    internal string Name
    {
        get
        {
            var labels = new List<string>();
            for (int at = 12; Bytes[at] != 0; at += 1 + Bytes[at]) labels.Add(Encoding.ASCII.GetString(Bytes, at + 1, Bytes[at]));
            return string.Join('.', labels);
        }
    }

    /// <summary>An answer with these records; the question is that of the query.</summary>
    internal byte[] Reply(params byte[][] records) => Reply(NoError, [], records);

    internal byte[] Reply(byte code, byte[][] additional, params byte[][] records)
    {
        byte[] head = [.. Bytes];
        head[2] = 0x81;
        head[3] = (byte)(0x80 | code);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(6), (ushort)records.Length);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(10), (ushort)additional.Length);
        return [.. head, .. records.SelectMany(r => r), .. additional.SelectMany(r => r)];
    }

    internal byte[] Failed(byte code) => Reply(code, []);

    internal byte[] Truncated()
    {
        byte[] reply = Reply();
        reply[2] |= 2;
        return reply;
    }

    /// <summary>Addresses for A, nothing for AAAA.</summary>
    internal byte[] Addresses(uint ttl, params string[] addresses) => Type == 1 ? Reply([.. addresses.Select(a => Record(1, ttl, IPAddress.Parse(a).GetAddressBytes()))]) : Reply();

    internal static byte[] Record(ushort type, uint ttl, byte[] data, string? owner = null)
    {
        byte[] fixedPart = new byte[10];
        BinaryPrimitives.WriteUInt16BigEndian(fixedPart, type);
        fixedPart[3] = 1;
        BinaryPrimitives.WriteUInt32BigEndian(fixedPart.AsSpan(4), ttl);
        BinaryPrimitives.WriteUInt16BigEndian(fixedPart.AsSpan(8), (ushort)data.Length);
        return [.. owner is null ? [0xc0, 12] : NameBytes(owner), .. fixedPart, .. data];
    }

    internal static byte[] Srv(uint ttl, ushort priority, ushort weight, ushort port, string target)
    {
        byte[] numbers = new byte[6];
        BinaryPrimitives.WriteUInt16BigEndian(numbers, priority);
        BinaryPrimitives.WriteUInt16BigEndian(numbers.AsSpan(2), weight);
        BinaryPrimitives.WriteUInt16BigEndian(numbers.AsSpan(4), port);
        return Record(33, ttl, [.. numbers, .. NameBytes(target)]);
    }

    internal static byte[] NameBytes(string name) =>
        [.. name.Split('.', StringSplitOptions.RemoveEmptyEntries).SelectMany(label => (byte[])[(byte)label.Length, .. Encoding.ASCII.GetBytes(label)]), 0];
}
