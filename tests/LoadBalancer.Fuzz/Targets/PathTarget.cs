using System.Globalization;
using LoadBalancer.Fuzz.Reference;
using LoadBalancer.Http;

namespace LoadBalancer.Fuzz.Targets;

/// <summary>Normalising paths.</summary>
internal sealed class PathTarget : IFuzzTarget
{
    public string Name => "path";

    public string Run(byte[] input, Random random, bool isThorough)
    {
        byte[] result = new byte[input.Length];
        int length = PathNormalizer.Normalize(input, result);
        string? expected = ReferencePath.Normalize(Sections.Text(input));
        if (length < 0)
        {
            if (expected is not null) throw new FuzzException($"rejected, while the reference makes {expected} of it");
            return "rejected";
        }
        FuzzException.ThrowUnlessSame("path", expected ?? "rejected", Sections.Text(result.AsSpan(0, length)));
        if (!PathNormalizer.NeedsNormalizing(input) && !result.AsSpan(0, length).SequenceEqual(input)) throw new FuzzException("changed, though it needed no normalising");

        byte[] inPlace = [.. input];
        int inPlaceLength = PathNormalizer.Normalize(inPlace, inPlace);
        FuzzException.ThrowUnlessSame("in place", Sections.Text(result.AsSpan(0, length)), Sections.Text(inPlace.AsSpan(0, Math.Max(inPlaceLength, 0))));

        byte[] twice = new byte[length];
        int twiceLength = PathNormalizer.Normalize(result.AsSpan(0, length), twice);
        FuzzException.ThrowUnlessSame("normalised twice", Sections.Text(result.AsSpan(0, length)), Sections.Text(twice.AsSpan(0, Math.Max(twiceLength, 0))));
        return string.Create(CultureInfo.InvariantCulture, $"{int.Log2(input.Length - length + 1)} {int.Log2(result.AsSpan(0, length).Count((byte)'/') + 1)} {int.Log2(result.AsSpan(0, length).Count((byte)'%') + 1)} {result.AsSpan().StartsWith("/"u8)}");
    }
}
