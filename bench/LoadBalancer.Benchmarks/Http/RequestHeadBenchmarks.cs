using System.Text;
using BenchmarkDotNet.Attributes;
using LoadBalancer.Http;

namespace LoadBalancer.Benchmarks.Http;

/// <summary>How long does a request head of each kind take from bytes to offsets?</summary>
[MemoryDiagnoser]
public class RequestHeadBenchmarks
{
    private readonly RequestHead _head = new();
    private readonly HeadLimits _limits = HeadLimits.Default;
    private byte[] _bytes = [];

    /// <summary>The kind of client.</summary>
    [Params("minimal", "api", "browser")]
    public string Shape { get; set; } = "minimal";

    internal byte[] Bytes => _bytes;

    /// <summary>Makes the bytes.</summary>
    [GlobalSetup]
    public void Setup() => _bytes = Encoding.ASCII.GetBytes(Shape switch
    {
        "minimal" => "GET /index.html HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n",
        "api" => "POST /v1/orders?expand=items HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9."
            + new string('e', 420) + "." + new string('s', 342) + "\r\nContent-Type: application/json\r\nContent-Length: 183\r\nAccept: application/json\r\n"
            + "Accept-Encoding: gzip, deflate, br\r\nUser-Agent: example-client/2.4 (linux; x64)\r\nX-Request-Id: 0b7e5b58-3f0e-4a0e-9d36-3f3a4b5ad5f1\r\n\r\n",
        _ => "GET /products/1234/reviews?page=2&sort=recent HTTP/1.1\r\nHost: www.example.com\r\nConnection: keep-alive\r\n"
            + "sec-ch-ua: \"Chromium\";v=\"130\", \"Google Chrome\";v=\"130\", \"Not?A_Brand\";v=\"99\"\r\nsec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Windows\"\r\n"
            + "Upgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36\r\n"
            + "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\n"
            + "Sec-Fetch-Dest: document\r\nReferer: https://www.example.com/products/1234\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
            + "Cookie: session=4f1b9a7c2d8e4b6f9a0c1d2e3f4a5b6c; _ga=GA1.2.1234567890.1700000000; theme=dark; consent=yes\r\n\r\n",
    });

    /// <summary>Parses the head.</summary>
    [Benchmark]
    public ParseStatus Parse()
    {
        _head.Reset();
        return _head.Parse(_bytes, _limits);
    }
}
