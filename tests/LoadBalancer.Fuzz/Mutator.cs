namespace LoadBalancer.Fuzz;

/// <summary>Makes inputs out of samples: by bytes, by tokens of the grammar, and by lines.</summary>
internal sealed class Mutator(Random random, List<byte[]> samples)
{
    private const int InputBytesMax = 700;

    private static readonly byte[] Bytes = [.. "\r\n\t \0:,;=/?%*.\"\\#@[]-_0aAfF"u8, 0x7F, 0x80, 0xFF];

    private static readonly byte[][] Tokens =
    [
        .. new[]
        {
            "\r\n", "\r\n\r\n", "\r", "\n", "\n\n", "\0", ": ", " :", "\t", " ", ",", ";", "0\r\n\r\n", "5\r\nhello\r\n", "\"a\\\"b\"", ";a=b", " ; a = \"\\\\\"",
            "Content-Length: 5\r\n", "Content-Length: 0\r\n", "Content-Length: +5\r\n", "Content-Length: 5, 5\r\n", "Content-Length: 9223372036854775807\r\n", "Content-Length: 9223372036854775808\r\n",
            "Transfer-Encoding: chunked\r\n", "transfer-encoding:CHUNKED\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked, chunked\r\n", "Transfer-Encoding: identity\r\n",
            "Transfer-Encoding : chunked\r\n", "Transfer-Encoding:\x0Bchunked\r\n", "Transfer_Encoding: chunked\r\n", "Host: a\r\n", "Host: [::1]:80\r\n", "Host: a%41:1\r\n", "Host:\r\n",
            "Connection: close\r\n", "Connection: keep-alive\r\n", "Connection: upgrade, x-a\r\n", "Connection: te, close\r\n", "Upgrade: websocket\r\n", "Upgrade: h2c\r\n", "TE: trailers\r\n", "X-A: b\r\n",
            "Expect: 100-continue\r\n", "Max-Forwards: 0\r\n", " folded\r\n", "HTTP/1.1", "HTTP/1.0", "HTTP/1.9", "HTTP/2.0", "http/1.1", "GET ", "POST ", "HEAD ", "TRACE ", "OPTIONS * ", "CONNECT a:1 ",
            "http://a/", "https://u@a/", "//", "/../", "/./", "/%2e%2E/", "%2F", "%00", "%", "%4", "%41", "%7e", "?a=b", "#", "*", "200 ", "204 ", "304 ", "101 ", "100 ", "0", "1", "f", "FFFFFFFFFFFFFFFF", "7fffffffffffffff", "00000000000000001",
        }.Select(System.Text.Encoding.Latin1.GetBytes),
    ];

    internal byte[] Next()
    {
        var input = new List<byte>(samples[random.Next(samples.Count)]);
        int mutations = 1 + random.Next(random.Next(1, 8));
        for (int i = 0; i < mutations; i++) Mutate(input);
        if (input.Count > InputBytesMax) input.RemoveRange(InputBytesMax, input.Count - InputBytesMax);
        return [.. input];
    }

    private void Mutate(List<byte> input)
    {
        int at = random.Next(input.Count + 1);
        switch (random.Next(12))
        {
            case 0 when at < input.Count:
                input[at] = RandomByte();
                break;
            case 1:
                input.Insert(at, RandomByte());
                break;
            case 2:
                input.RemoveRange(at, Math.Min(random.Next(1, 8), input.Count - at));
                break;
            case 3 when at < input.Count:
                input[at] ^= (byte)(1 << random.Next(8));
                break;
            case 4 when random.Next(4) == 0:
                input.RemoveRange(at, input.Count - at);
                break;
            case 5 when at < input.Count: // repeated, as for lengths beyond a bound
                input.InsertRange(at, Enumerable.Repeat(input[at], random.Next(1, random.Next(8) == 0 ? 300 : 20)));
                break;
            case 6 or 7:
                input.InsertRange(at, Tokens[random.Next(Tokens.Length)]);
                break;
            case 8: // crossed with another sample
                byte[] other = samples[random.Next(samples.Count)];
                int from = random.Next(other.Length + 1);
                input.InsertRange(at, other.AsSpan(from, random.Next(Math.Min(60, other.Length - from) + 1)).ToArray());
                break;
            case 9:
                MutateLine(input, static (lines, i, _) => lines.Insert(i, lines[i]));
                break;
            case 10:
                MutateLine(input, static (lines, i, _) => lines.RemoveAt(i));
                break;
            default:
                MutateLine(input, static (lines, i, random) =>
                {
                    int j = random.Next(lines.Count);
                    (lines[i], lines[j]) = (lines[j], lines[i]);
                });
                break;
        }
    }

    private void MutateLine(List<byte> input, Action<List<byte[]>, int, Random> mutation)
    {
        var lines = new List<byte[]>();
        for (int start = 0; start < input.Count;)
        {
            int end = input.IndexOf((byte)'\n', start) + 1;
            if (end == 0) end = input.Count;
            lines.Add([.. input.GetRange(start, end - start)]);
            start = end;
        }
        if (lines.Count == 0) return;
        mutation(lines, random.Next(lines.Count), random);
        input.Clear();
        foreach (byte[] line in lines) input.AddRange(line);
    }

    private byte RandomByte() => random.Next(3) == 0 ? (byte)random.Next(256) : Bytes[random.Next(Bytes.Length)];
}
