using System.Globalization;

namespace LoadBalancer.Http.Tests;

/// <summary>
/// Random messages and mutations, bounded by iterations and not by time. LB_FUZZ_ITERATIONS raises the number, LB_FUZZ_SEED repeats a campaign.
/// </summary>
[Category("Fuzz")]
public class FuzzTests
{
    private static readonly string[] Seeds =
    [
        "GET /a/b?c=d HTTP/1.1\r\nHost: example.com\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n",
        "POST http://[::1]:80/%41 HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: gzip, chunked\r\nConnection: te, close\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "\r\nPUT / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: keep-alive, x-y\r\nX-Y: 1\r\nCookie: a=b; c=d\r\n\r\nhello",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 3\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAAA\r\n\r\n",
        "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nProxy-Authorization: x\r\nX-A-Very-Long-Field-Name-That-Is-Over-32-Bytes: y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: x\r\nSet-Cookie: a=b\r\n\r\nhello",
        "HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        "HTTP/1.0 304\r\nContent-Length: 7\r\n\r\n",
        "5;a=\"b\"\r\nhello\r\n1\r\nx\r\n0\r\nX-Sum: 1\r\nHost: b\r\n\r\n",
        "/a/./b/%2e%2e/c//%41%2f..",
    ];

    private static readonly byte[] Interesting = [.. "\r\n\t \0:,;=/?%*.\"\\#@[]-_0aA"u8, 0x7F, 0x80];

    [Test]
    public void RandomMutationsNeverThrowAndAgreeInAllPieces()
    {
        int iterations = int.Parse(Environment.GetEnvironmentVariable("LB_FUZZ_ITERATIONS") ?? "200000", CultureInfo.InvariantCulture);
        int seed = int.Parse(Environment.GetEnvironmentVariable("LB_FUZZ_SEED") ?? "1234567", CultureInfo.InvariantCulture);
        TestContext.Out.WriteLine($"seed {seed}, {iterations} iterations");
        var random = new Random(seed);
        byte[][] seeds = [.. Seeds.Select(Wire.Bytes)];
        var limits = new HeadLimits(48, 220, 8);
        var campaign = new Campaign(limits);
        byte[] buffer = new byte[1024];
        for (int i = 0; i < iterations; i++)
        {
            int length = Mutate(random, seeds, buffer);
            byte[] input = buffer.AsSpan(0, length).ToArray();
            try
            {
                campaign.Run(input, random);
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed} iteration {i}: {Convert.ToHexString(input)}\n{e}");
            }
        }
        TestContext.Out.WriteLine($"complete: {campaign.Completed}, rejected: {campaign.Rejected}");
        Assert.That(campaign.Completed, Is.GreaterThan(iterations / 50), "mutations that break everything test nothing");
    }

    private static int Mutate(Random random, byte[][] seeds, byte[] buffer)
    {
        byte[] seed = seeds[random.Next(seeds.Length)];
        seed.CopyTo(buffer, 0);
        int length = seed.Length;
        int mutations = random.Next(5);
        for (int m = 0; m < mutations; m++)
        {
            int at = random.Next(length + 1);
            switch (random.Next(6))
            {
                case 0: // overwrite
                    if (at < length) buffer[at] = RandomByte(random);
                    break;
                case 1: // insert
                    buffer.AsSpan(at, length - at).CopyTo(buffer.AsSpan(at + 1));
                    buffer[at] = RandomByte(random);
                    length++;
                    break;
                case 2: // delete a run
                    int run = Math.Min(random.Next(1, 8), length - at);
                    buffer.AsSpan(at + run, length - at - run).CopyTo(buffer.AsSpan(at));
                    length -= run;
                    break;
                case 3: // truncate
                    if (random.Next(4) == 0) length = at;
                    break;
                case 4: // splice in a piece of a sample
                    byte[] other = seeds[random.Next(seeds.Length)];
                    int from = random.Next(other.Length);
                    int count = random.Next(Math.Min(40, other.Length - from) + 1);
                    if (length + count > 600) break;
                    buffer.AsSpan(at, length - at).CopyTo(buffer.AsSpan(at + count));
                    other.AsSpan(from, count).CopyTo(buffer.AsSpan(at));
                    length += count;
                    break;
                default: // flip a bit
                    if (at < length) buffer[at] ^= (byte)(1 << random.Next(8));
                    break;
            }
        }
        return length;
    }

    private static byte RandomByte(Random random) => random.Next(3) == 0 ? (byte)random.Next(256) : Interesting[random.Next(Interesting.Length)];

    private sealed class Campaign(HeadLimits limits)
    {
        private readonly RequestHead _request = new();
        private readonly RequestHead _requestInPieces = new();
        private readonly ResponseHead _response = new();
        private readonly ResponseHead _responseInPieces = new();
        private readonly TrailerSection _trailers = new();
        private readonly TrailerSection _trailersInPieces = new();

        internal int Completed { get; private set; }

        internal int Rejected { get; private set; }

        internal void Run(byte[] input, Random random)
        {
            _request.Reset();
            ParseStatus whole = _request.Parse(input, limits);
            Count(whole);
            CheckOffsets(_request, whole, input);
            _requestInPieces.Reset();
            ParseStatus pieces = ParseStatus.NeedMore;
            for (int n = 0; pieces == ParseStatus.NeedMore && n <= input.Length; n = Next(n)) pieces = _requestInPieces.Parse(input.AsSpan(0, n), limits);
            Same(Wire.Describe(_request, whole, input), Wire.Describe(_requestInPieces, pieces, input));

            var method = (RequestMethod)random.Next(10);
            _response.Reset();
            whole = _response.Parse(input, limits, method);
            Count(whole);
            CheckOffsets(_response, whole, input);
            _responseInPieces.Reset();
            pieces = ParseStatus.NeedMore;
            for (int n = 0; pieces == ParseStatus.NeedMore && n <= input.Length; n = Next(n)) pieces = _responseInPieces.Parse(input.AsSpan(0, n), limits, method);
            Same(Wire.Describe(_response, whole, input), Wire.Describe(_responseInPieces, pieces, input));

            _trailers.Reset();
            whole = _trailers.Parse(input);
            Count(whole);
            CheckOffsets(_trailers, whole, input);
            _trailersInPieces.Reset();
            pieces = ParseStatus.NeedMore;
            for (int n = 0; pieces == ParseStatus.NeedMore && n <= input.Length; n = Next(n)) pieces = _trailersInPieces.Parse(input.AsSpan(0, n));
            Same($"{whole} {_trailers.FieldCount} {_trailers.Length}", $"{pieces} {(whole == ParseStatus.NeedMore ? _trailers.FieldCount : _trailersInPieces.FieldCount)} {_trailersInPieces.Length}");

            Same(Chunks(input, int.MaxValue), Chunks(input, random.Next(1, 6)));

            byte[] once = new byte[input.Length];
            int length = PathNormalizer.Normalize(input, once);
            if (length < 0) return;
            byte[] twice = new byte[length];
            int again = PathNormalizer.Normalize(once.AsSpan(0, length), twice);
            if (again != length || !once.AsSpan(0, length).SequenceEqual(twice)) throw new InvalidOperationException("normalising is not idempotent");

            int Next(int n) => n == input.Length ? n + 1 : Math.Min(input.Length, n + random.Next(1, 40));
        }

        private void Count(ParseStatus status)
        {
            if (status == ParseStatus.Complete) Completed++;
            if (status == ParseStatus.Rejected) Rejected++;
        }

        private static void Same(string whole, string pieces)
        {
            if (whole != pieces) throw new InvalidOperationException($"whole: {whole}\npieces: {pieces}");
        }

        // What a complete head promises: the lines lie side by side and contain no line end or NUL.
        private static void CheckOffsets(FieldSection section, ParseStatus status, byte[] input)
        {
            if (status != ParseStatus.Complete) return;
            int at = section.FieldsStart;
            for (int i = 0; i < section.FieldCount; i++)
            {
                FieldLine line = section.Fields[i];
                bool good = line.NameStart == at && line.NameLength > 0 && Syntax.IsToken(section.NameOf(i, input)) && input[at + line.NameLength] == ':'
                    && line.ValueStart > at + line.NameLength && line.ValueStart + line.ValueLength <= line.LineEnd - 2
                    && !section.ValueOf(i, input).ContainsAny("\r\n\0"u8) && input[line.LineEnd - 2] == '\r' && input[line.LineEnd - 1] == '\n';
                if (!good) throw new InvalidOperationException($"line {i} at {at}");
                at = line.LineEnd;
            }
            if (section.Length != at + 2 || input[at] != '\r' || input[at + 1] != '\n') throw new InvalidOperationException("end");
        }

        private static string Chunks(byte[] input, int piece)
        {
            var decoder = default(ChunkedDecoder);
            long data = 0;
            int at = 0;
            while (at < input.Length)
            {
                ReadOnlySpan<byte> span = input.AsSpan(at, Math.Min(piece, input.Length - at));
                ParseStatus status = decoder.Read(span, out int consumed, out int start, out int length);
                if (status == ParseStatus.Rejected) return $"{decoder.Rejection} {data}";
                foreach (byte b in span.Slice(start, length)) data = data * 31 + b;
                at += consumed;
                if (status == ParseStatus.Complete) return $"complete {at} {data}";
                if (consumed == 0) throw new InvalidOperationException("no progress");
            }
            return $"more {data}";
        }
    }
}
