using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LoadBalancer.Simulation.Scenarios;

/// <summary>
/// A time in a scenario: <c>"250us"</c>, <c>"10ms"</c>, <c>"1.5s"</c>, <c>"2min"</c>, or <c>"40%"</c> of the expected length of the run, so
/// that a timetable keeps its place when the number of requests changes.
/// </summary>
/// <param name="Nanoseconds">The time, when it is not a share.</param>
/// <param name="Share">Part of the run, 0 to 1; 0 when it is a time.</param>
[JsonConverter(typeof(SimTimeConverter))]
public readonly record struct SimTime(double Nanoseconds, double Share = 0)
{
    private static readonly (string Unit, double Nanoseconds)[] s_units =
        [("ns", 1), ("us", 1e3), ("ms", 1e6), ("min", 60e9), ("s", 1e9), ("h", 3600e9)]; // "s" after the units that end in it

    private const double NanosecondsMax = 1e17; // three years; sums of several stay far below the limit of a 64-bit clock

    /// <summary>Whether it is given as a part of the run.</summary>
    public bool IsShare => Share > 0;

    /// <summary>So many milliseconds.</summary>
    public static SimTime Milliseconds(double milliseconds) => new(milliseconds * 1e6);

    /// <summary>So many seconds.</summary>
    public static SimTime Seconds(double seconds) => new(seconds * 1e9);

    /// <summary>A part of the run, in percent.</summary>
    public static SimTime Percent(double percent) => new(0, percent / 100);

    /// <summary>Reads a number with its unit.</summary>
    public static bool TryParse(string text, out SimTime time)
    {
        time = default;
        if (text.EndsWith('%') && TryNumber(text[..^1], out double percent)) time = Percent(percent);
        else if (Array.Find(s_units, unit => text.EndsWith(unit.Unit, StringComparison.Ordinal)) is { Unit: { } name } unit && TryNumber(text[..^name.Length], out double count))
            time = new SimTime(count * unit.Nanoseconds);
        else if (text == "0") time = default;
        else return false;
        return time.Nanoseconds <= NanosecondsMax && time.Share <= 1;
    }

    /// <summary>In nanoseconds, given the length of the run.</summary>
    internal long In(double runLength) => (long)(IsShare ? Share * runLength : Nanoseconds);

    /// <inheritdoc/>
    public override string ToString() => IsShare ? $"{Share * 100:0.##}%" : Format(Nanoseconds);

    /// <summary>A time with a fitting unit and three or four digits.</summary>
    internal static string Format(double nanoseconds) => nanoseconds switch
    {
        < 1e3 => $"{nanoseconds:0.#} ns",
        < 1e6 => $"{nanoseconds / 1e3:0.##} us",
        < 1e9 => $"{nanoseconds / 1e6:0.##} ms",
        _ => $"{nanoseconds / 1e9:0.##} s",
    };

    private static bool TryNumber(string text, out double number) =>
        double.TryParse(text.Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);
}

/// <summary>Reads and writes <see cref="SimTime"/> as text.</summary>
public sealed class SimTimeConverter : JsonConverter<SimTime>
{
    /// <inheritdoc/>
    public override SimTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        string text = reader.TokenType == JsonTokenType.String ? reader.GetString()! : "a " + reader.TokenType;
        return SimTime.TryParse(text, out SimTime time) ? time : throw new JsonException($"\"{text}\" is no time; expected one such as \"10ms\", \"1.5s\" or \"40%\"");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, SimTime value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString().Replace(" ", "", StringComparison.Ordinal));
}
