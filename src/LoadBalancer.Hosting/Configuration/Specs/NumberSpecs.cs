using System.Globalization;
using System.Text.Json;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Hosting.Configuration.Specs;

/// <summary>true or false.</summary>
internal sealed class FlagSpec : ScalarSpec<bool>
{
    private protected override string Expected => "true or false";

    private protected override bool TryLiteral(ConfigNode node, out bool value)
    {
        value = node.Kind == ConfigNodeKind.True;
        return node.Kind is ConfigNodeKind.True or ConfigNodeKind.False;
    }

    private protected override bool TryText(string text, bool isSubstituted, out bool value, out string error)
    {
        error = "";
        value = text == "true";
        return isSubstituted && text is "true" or "false";
    }

    internal override void WriteSchema(SchemaWriter schema) => schema.Alternatives(json => json.WriteString("type", "boolean"));

    internal override void WriteValue(Utf8JsonWriter json, bool value) => json.WriteBooleanValue(value);

    internal override void WriteDefault(Utf8JsonWriter json, bool value) => json.WriteBoolean("default", value);
}

/// <summary>A whole number of 32 bits. The validator checks the range; the reader only what does not fit.</summary>
internal sealed class CountSpec(NumberRange range, int[]? choices = null) : ScalarSpec<int>
{
    private protected override string Expected => $"a whole number ({(choices is null ? range.Text : string.Join(", ", choices))})";

    private protected override bool TryLiteral(ConfigNode node, out int value) => TryNumber(node.Kind == ConfigNodeKind.Number ? node.Text : "", out value);

    private protected override bool TryText(string text, bool isSubstituted, out int value, out string error)
    {
        error = "";
        value = 0;
        return isSubstituted && TryNumber(text, out value);
    }

    internal override void WriteSchema(SchemaWriter schema) => schema.Alternatives(json =>
    {
        if (choices is not null)
        {
            json.WriteStartArray("enum");
            foreach (int choice in choices) json.WriteNumberValue(choice);
            json.WriteEndArray();
            return;
        }
        json.WriteString("type", "integer");
        SchemaWriter.Range(json, range);
    });

    internal override void WriteValue(Utf8JsonWriter json, int value) => json.WriteNumberValue(value);

    internal override void WriteDefault(Utf8JsonWriter json, int value) => json.WriteNumber("default", value);

    private static bool TryNumber(string text, out int value) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
}

/// <summary>A number from 0 to 1.</summary>
internal sealed class RatioSpec : ScalarSpec<double>
{
    private protected override string Expected => "a number from 0 to 1";

    private protected override bool TryLiteral(ConfigNode node, out double value) => TryNumber(node.Kind == ConfigNodeKind.Number ? node.Text : "", out value);

    private protected override bool TryText(string text, bool isSubstituted, out double value, out string error)
    {
        error = "";
        value = 0;
        return isSubstituted && TryNumber(text, out value);
    }

    internal override void WriteSchema(SchemaWriter schema) => schema.Alternatives(json =>
    {
        json.WriteString("type", "number");
        json.WriteNumber("minimum", 0);
        json.WriteNumber("maximum", 1);
    });

    internal override void WriteDefault(Utf8JsonWriter json, double value) => json.WriteNumber("default", value);

    internal override void WriteValue(Utf8JsonWriter json, double value) => json.WriteNumberValue(value);

    private static bool TryNumber(string text, out double value) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
}

/// <summary>A number of bytes: plain, or text such as "16KiB".</summary>
internal sealed class SizeSpec(NumberRange range) : ScalarSpec<long>
{
    private protected override string Expected => $"a size such as \"16KiB\", \"1MB\" or a number of bytes ({range.Text})";

    private protected override bool TryLiteral(ConfigNode node, out long value)
    {
        value = 0;
        return node.Kind == ConfigNodeKind.Number && long.TryParse(node.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
    }

    private protected override bool TryText(string text, bool isSubstituted, out long value, out string error)
    {
        error = "";
        return SizeText.TryParse(text, out value)
            || (isSubstituted && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value));
    }

    internal override void WriteSchema(SchemaWriter schema) => schema.Alternatives(
        json =>
        {
            json.WriteString("type", "integer");
            SchemaWriter.Range(json, range);
        },
        json =>
        {
            json.WriteString("type", "string");
            json.WriteString("pattern", SizeText.Pattern);
        });

    internal override void WriteValue(Utf8JsonWriter json, long value) => json.WriteStringValue(SizeText.Format(value));

    internal override void WriteDefault(Utf8JsonWriter json, long value) => json.WriteString("default", SizeText.Format(value));
}

/// <summary>A size that fits 32 bits.</summary>
internal sealed class SmallSizeSpec(NumberRange range) : ValueSpec<int>
{
    private readonly SizeSpec _size = new(range);

    internal override bool TryRead(ConfigNode node, string path, ReadContext context, out int value)
    {
        value = 0;
        if (!_size.TryRead(node, path, context, out long size)) return false;
        if (size is < int.MinValue or > int.MaxValue)
        {
            context.Add(node, path, $"{size} is out of range; expected {range.Text}");
            return false;
        }
        value = (int)size;
        return true;
    }

    internal override void WriteSchema(SchemaWriter schema) => _size.WriteSchema(schema);

    internal override void WriteValue(Utf8JsonWriter json, int value) => _size.WriteValue(json, value);

    internal override void WriteDefault(Utf8JsonWriter json, int value) => _size.WriteDefault(json, value);
}

/// <summary>A size, or null for no limit of its own.</summary>
internal sealed class OptionalSizeSpec(NumberRange range) : ValueSpec<long?>
{
    private readonly SizeSpec _size = new(range);

    internal override bool TryRead(ConfigNode node, string path, ReadContext context, out long? value)
    {
        value = null;
        if (node.Kind == ConfigNodeKind.Null) return true;
        if (!_size.TryRead(node, path, context, out long size)) return false;
        value = size;
        return true;
    }

    internal override void WriteSchema(SchemaWriter schema) => schema.OrNull(_size.WriteSchema);

    internal override void WriteValue(Utf8JsonWriter json, long? value)
    {
        if (value is { } size) _size.WriteValue(json, size);
        else json.WriteNullValue();
    }

    internal override void WriteDefault(Utf8JsonWriter json, long? value)
    {
        if (value is { } size) _size.WriteDefault(json, size);
        else json.WriteNull("default");
    }
}

/// <summary>A time such as "30s", or 0.</summary>
internal sealed class DurationSpec(DurationRange range) : ScalarSpec<TimeSpan>
{
    private protected override string Expected => "a duration such as \"500ms\", \"30s\", \"2m\", \"1h\" or \"1d\"";

    private protected override bool TryLiteral(ConfigNode node, out TimeSpan value)
    {
        value = TimeSpan.Zero;
        return node.Kind == ConfigNodeKind.Number && node.Text == "0";
    }

    private protected override bool TryText(string text, bool isSubstituted, out TimeSpan value, out string error)
    {
        error = "";
        if (DurationText.TryParse(text, out value)) return true;
        if (text.Length > 0 && text.All(char.IsAsciiDigit)) error = $"has no unit; did you mean \"{text}s\"?";
        return false;
    }

    private protected override string Hint(ConfigNode node) =>
        node.Kind == ConfigNodeKind.Number && node.Text.All(char.IsAsciiDigit) ? $" (did you mean \"{node.Text}s\"?)" : "";

    internal override void WriteSchema(SchemaWriter schema) => schema.Alternatives(
        json =>
        {
            json.WriteString("type", "string");
            json.WriteString("pattern", range.ZeroAllowed ? DurationText.Pattern : DurationText.Pattern.Replace("0|", "", StringComparison.Ordinal));
        },
        range.ZeroAllowed ? json => json.WriteNumber("const", 0) : null);

    internal override void WriteValue(Utf8JsonWriter json, TimeSpan value)
    {
        if (value == TimeSpan.Zero) json.WriteNumberValue(0);
        else json.WriteStringValue(DurationText.Format(value));
    }

    internal override void WriteDefault(Utf8JsonWriter json, TimeSpan value)
    {
        if (value == TimeSpan.Zero) json.WriteNumber("default", 0);
        else json.WriteString("default", DurationText.Format(value));
    }
}
