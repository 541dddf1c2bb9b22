using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace LoadBalancer.Discovery.Dns;

/// <summary>
/// Asks name servers, one after another, each twice. Every query has a socket of its own, connected, so that the kernel drops what comes from
/// elsewhere, and with it a port that cannot be foreseen; datagrams that do not answer it are passed over (RFC 5452). Any thread; never throws but on cancellation.
/// </summary>
internal sealed class DnsClient(TimeProvider time)
{
    /// <summary>How long one name server is waited for, each time.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private const int Rounds = 2, DatagramBytesMax = 4096, StrangersMax = 100;

    internal async Task<DnsAnswer> QueryAsync(IReadOnlyList<IPEndPoint> servers, string name, DnsRecordType type, CancellationToken token)
    {
        DnsAnswer answer = DnsAnswer.Failed("has no name server to ask");
        for (int round = 0; round < Rounds; round++)
            foreach (IPEndPoint server in servers)
            {
                answer = await AskAsync(server, name, type, token).ConfigureAwait(false);
                if (answer.Status is DnsStatus.Found or DnsStatus.None) return answer;
            }
        return answer;
    }

    private async Task<DnsAnswer> AskAsync(IPEndPoint server, string name, DnsRecordType type, CancellationToken token)
    {
        DnsAnswer answer = await AskAsync(server, name, type, ProtocolType.Udp, token).ConfigureAwait(false);
        // RFC 7766 §5: an answer that was cut is asked for again by TCP.
        if (answer.Status == DnsStatus.Truncated) answer = await AskAsync(server, name, type, ProtocolType.Tcp, token).ConfigureAwait(false);
        return answer.Status == DnsStatus.Truncated ? DnsAnswer.Failed($"has an answer of {server} that is cut even by TCP") : answer;
    }

    private async Task<DnsAnswer> AskAsync(IPEndPoint server, string name, DnsRecordType type, ProtocolType protocol, CancellationToken token)
    {
        byte[] query = ArrayPool<byte>.Shared.Rent(2 + DnsMessage.QueryBytesMax);
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, token);
        try
        {
            int length = DnsMessage.WriteQuery(query.AsSpan(2), (ushort)RandomNumberGenerator.GetInt32(0x10000), name, type);
            BinaryPrimitives.WriteUInt16BigEndian(query, (ushort)length);
            using var socket = new Socket(server.AddressFamily, protocol == ProtocolType.Udp ? SocketType.Dgram : SocketType.Stream, protocol);
            await socket.ConnectAsync(server, either.Token).ConfigureAwait(false);
            ReadOnlyMemory<byte> plain = query.AsMemory(2, length);
            return protocol == ProtocolType.Udp
                ? await ExchangeAsync(socket, plain, name, type, either.Token).ConfigureAwait(false)
                : await ExchangeByTcpAsync(socket, query.AsMemory(0, 2 + length), plain, name, type, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            return DnsAnswer.Failed($"is not answered: {server} was silent for {Patience.TotalSeconds} s");
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return DnsAnswer.Failed($"is not answered: {server}: {e.Message}");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(query);
        }
    }

    private static async Task<DnsAnswer> ExchangeAsync(Socket socket, ReadOnlyMemory<byte> query, string name, DnsRecordType type, CancellationToken token)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(DatagramBytesMax);
        try
        {
            await socket.SendAsync(query, token).ConfigureAwait(false);
            for (int strangers = 0; strangers < StrangersMax; strangers++)
            {
                int count = await socket.ReceiveAsync(buffer, token).ConfigureAwait(false);
                ReadOnlySpan<byte> message = buffer.AsSpan(0, count);
                if (DnsMessage.IsAnswerTo(message, query.Span)) return DnsMessage.Read(message, query.Span, name, type);
            }
            return DnsAnswer.Failed("is not answered: too many datagrams that answer something else");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<DnsAnswer> ExchangeByTcpAsync(
        Socket socket, ReadOnlyMemory<byte> framed, ReadOnlyMemory<byte> query, string name, DnsRecordType type, CancellationToken token)
    {
        using var stream = new NetworkStream(socket, ownsSocket: false);
        await stream.WriteAsync(framed, token).ConfigureAwait(false);
        byte[] prefix = new byte[2];
        await stream.ReadExactlyAsync(prefix, token).ConfigureAwait(false);
        byte[] message = new byte[BinaryPrimitives.ReadUInt16BigEndian(prefix)]; // at most 64 KiB
        await stream.ReadExactlyAsync(message, token).ConfigureAwait(false);
        return DnsMessage.IsAnswerTo(message, query.Span)
            ? DnsMessage.Read(message, query.Span, name, type)
            : DnsAnswer.Failed("is answered by TCP with something else");
    }
}
