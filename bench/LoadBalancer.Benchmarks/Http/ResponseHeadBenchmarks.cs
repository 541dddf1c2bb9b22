using System.Text;
using BenchmarkDotNet.Attributes;
using LoadBalancer.Http;

namespace LoadBalancer.Benchmarks.Http;

/// <summary>How long does a response head of each kind take from bytes to offsets?</summary>
[MemoryDiagnoser]
public class ResponseHeadBenchmarks
{
    private readonly ResponseHead _head = new();
    private readonly HeadLimits _limits = HeadLimits.Default;
    private byte[] _bytes = [];

    /// <summary>The kind of origin.</summary>
    [Params("minimal", "api", "browser")]
    public string Shape { get; set; } = "minimal";

    /// <summary>Makes the bytes.</summary>
    [GlobalSetup]
    public void Setup() => _bytes = Encoding.ASCII.GetBytes(Shape switch
    {
        "minimal" => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n",
        "api" => "HTTP/1.1 201 Created\r\nServer: Kestrel\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\n"
            + "Location: /v1/orders/8471\r\nX-Request-Id: 0b7e5b58-3f0e-4a0e-9d36-3f3a4b5ad5f1\r\nRateLimit-Remaining: 99\r\n\r\n",
        _ => "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/html; charset=UTF-8\r\nContent-Length: 48213\r\nConnection: keep-alive\r\n"
            + "Vary: Accept-Encoding, Cookie\r\nCache-Control: private, max-age=0, must-revalidate\r\nContent-Encoding: br\r\nETag: W/\"5e1-abcdefghijkl\"\r\n"
            + "Set-Cookie: session=4f1b9a7c2d8e4b6f9a0c1d2e3f4a5b6c; Path=/; HttpOnly; Secure; SameSite=Lax\r\nStrict-Transport-Security: max-age=63072000; includeSubDomains; preload\r\n"
            + "X-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'self'; img-src * data:; script-src 'self' 'unsafe-inline'\r\nReferrer-Policy: strict-origin\r\n\r\n",
    });

    /// <summary>Parses the head.</summary>
    [Benchmark]
    public ParseStatus Parse()
    {
        _head.Reset();
        return _head.Parse(_bytes, _limits, RequestMethod.Get);
    }
}
