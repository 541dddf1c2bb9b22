using System.Buffers;
using System.IO.Pipelines;
using LoadBalancer.Core.Transport;

[assembly: Parallelizable(ParallelScope.All)]
[assembly: FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[assembly: LevelOfParallelism(4)]

namespace LoadBalancer.Transport.Tests;

/// <summary>Base of the contract fixtures: each runs once for every transport.</summary>
[TestFixtureSource(nameof(Transports))]
internal abstract class TransportTests(string transport)
{
    internal static IEnumerable<string> Transports => TransportHost.Factories.Select(factory => factory.Name);

    protected string Transport { get; } = transport;

    protected static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    protected TransportHost NewHost(TimeProvider? time = null, int loops = 1) => new(Transport, time, loops);

    /// <summary>Sends back what comes until the end of stream, then ends; then closes.</summary>
    protected static async Task EchoAsync(TransportConnection connection)
    {
        while (true)
        {
            ReadResult read = await connection.Input.ReadAsync();
            if (!read.Buffer.IsEmpty)
            {
                Assert.That(read.Buffer.IsSingleSegment);
                FlushResult flush = await connection.Output.WriteAsync(read.Buffer.First);
                connection.Input.AdvanceTo(read.Buffer.End);
                if (flush.IsCompleted) break;
                continue;
            }
            connection.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) break;
        }
        connection.Close();
    }

    /// <summary>Reads until at least so many bytes are buffered, examining all, and takes them.</summary>
    protected static async Task<byte[]> TakeAsync(TransportConnection connection, int count)
    {
        while (true)
        {
            ReadResult read = await connection.Input.ReadAsync();
            if (read.Buffer.Length >= count)
            {
                byte[] bytes = read.Buffer.Slice(0, count).ToArray();
                connection.Input.AdvanceTo(read.Buffer.GetPosition(count));
                return bytes;
            }
            connection.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted) throw new EndOfStreamException($"{connection.Fault} after {read.Buffer.Length} of {count} bytes");
        }
    }
}
