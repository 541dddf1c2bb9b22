using System.Globalization;
using System.Text;
using LoadBalancer.Fuzz.Reference;
using LoadBalancer.Http;

namespace LoadBalancer.Fuzz.Targets;

/// <summary>The chunked coding.</summary>
internal sealed class ChunkedTarget : IFuzzTarget
{
    public string Name => "chunked";

    public string Run(byte[] input, Random random, bool isThorough)
    {
        Outcome whole = Read(input, []);
        if (isThorough)
        {
            for (int split = 0; split <= input.Length; split++) CheckPieces(whole, input, [split]);
            CheckPieces(whole, input, [.. Enumerable.Range(0, input.Length)]);
        }
        else CheckPieces(whole, input, [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => random.Next(input.Length + 1)).Order()]);

        (ParseStatus verdict, int end, string data) = ReferenceChunks.Read(Sections.Text(input));
        Sections.CheckVerdict(whole.Status, isBeyond: false, verdict);
        if (whole.Status != ParseStatus.Rejected) FuzzException.ThrowUnlessSame("data", $"{end} {data}", $"{whole.End} {whole.Data}");
        if (whole.Status == ParseStatus.Complete) CheckSentOn(whole.Data);
        return string.Create(CultureInfo.InvariantCulture, $"{whole.Status} {whole.Rejection} {whole.Chunks} {whole.Data.Length > 0} {int.Log2(whole.End + 1)}");
    }

    private static void CheckPieces(Outcome whole, byte[] input, int[] splits)
    {
        Outcome pieces = Read(input, splits);
        // Runs of data are cut where pieces are, so their number differs.
        if (pieces with { Chunks = 0 } != whole with { Chunks = 0 }) FuzzException.ThrowUnlessSame($"in pieces up to {string.Join(' ', splits)}", whole.ToString(), pieces.ToString());
    }

    private static void CheckSentOn(string data)
    {
        string sent = (data.Length > 0 ? string.Create(CultureInfo.InvariantCulture, $"{data.Length:x}\r\n{data}\r\n") : "") + "0\r\n";
        Outcome again = Read(Encoding.Latin1.GetBytes(sent), []);
        if (again.Status != ParseStatus.Complete || again.Data != data || again.End != sent.Length) throw new FuzzException($"data sent on and decoded again: {again}");
    }

    private static Outcome Read(byte[] input, int[] splits)
    {
        var decoder = default(ChunkedDecoder);
        var data = new StringBuilder();
        int at = 0, runs = 0;
        foreach (int end in splits.Append(input.Length))
        {
            while (at < end)
            {
                byte[] piece = input[at..end]; // nothing lies behind it
                ParseStatus status = decoder.Read(piece, out int consumed, out int start, out int length);
                if (status == ParseStatus.Rejected) return new(status, decoder.Rejection, 0, data.ToString(), runs);
                if (consumed == 0 && status != ParseStatus.Complete) throw new FuzzException("no progress");
                if (length > 0 && start + length != consumed) throw new FuzzException("data does not end where reading did");
                if (length > 0) runs++;
                if (length == 0 && status == ParseStatus.NeedMore && consumed != piece.Length) throw new FuzzException("without data everything is consumed");
                data.Append(Sections.Text(piece.AsSpan(start, length)));
                at += consumed;
                if (status == ParseStatus.Complete) return new(status, RejectionReason.None, at, data.ToString(), runs);
            }
        }
        return new(ParseStatus.NeedMore, RejectionReason.None, 0, data.ToString(), runs);
    }

    private sealed record Outcome(ParseStatus Status, RejectionReason Rejection, int End, string Data, int Chunks);
}
