namespace LoadBalancer.Http.Tests;

[NonParallelizable]
public class AllocationTests
{
    [Test]
    public void Parse_ManyMessages_AllocatesNothing()
    {
        byte[] request = Wire.Bytes("POST /a/%41?b HTTP/1.1\r\nHost: [::1]:80\r\nConnection: keep-alive, te, x-y\r\nTE: trailers\r\nX-Y: z\r\nUpgrade: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n"
            + string.Concat(Enumerable.Range(0, 30).Select(i => $"X-Field-{i}: {i}\r\n")) + "\r\n");
        byte[] response = Wire.Bytes("HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\nServer: x\r\n\r\n");
        byte[] chunks = Wire.Bytes("5;a=b\r\nhello\r\n0\r\n");
        byte[] trailers = Wire.Bytes("X-Checksum: 1\r\nCookie: x\r\n\r\n");
        byte[] bad = Wire.Bytes("GET / HTTP/1.1\r\nHost: a b\r\n\r\n");
        byte[] path = Wire.Bytes("/a/../%61/%2e/b");
        byte[] destination = new byte[path.Length];
        var requestHead = new RequestHead();
        var responseHead = new ResponseHead();
        var section = new TrailerSection();
        HeadLimits limits = HeadLimits.Default;
        int complete = 0;

        Run(50); // grows the table, runs static constructors
        complete = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(10_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(allocated, Is.Zero);
        Assert.That(complete, Is.EqualTo(40_000));

        void Run(int rounds)
        {
            for (int i = 0; i < rounds; i++)
            {
                requestHead.Reset();
                requestHead.Parse(request.AsSpan(0, i % request.Length), limits);
                if (requestHead.Parse(request, limits) == ParseStatus.Complete) complete++;
                requestHead.Reset();
                requestHead.Parse(bad, limits);
                responseHead.Reset();
                if (responseHead.Parse(response, limits, RequestMethod.Get) == ParseStatus.Complete) complete++;
                var decoder = default(ChunkedDecoder);
                decoder.Read(chunks, out int consumed, out _, out _);
                if (decoder.Read(chunks.AsSpan(consumed), out _, out _, out _) == ParseStatus.Complete) complete++;
                section.Reset();
                if (section.Parse(trailers) == ParseStatus.Complete) complete++;
                PathNormalizer.Normalize(path, destination);
            }
        }
    }
}
