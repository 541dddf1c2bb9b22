using System.Text;
using System.Text.Json;
using LoadBalancer.Translation.Conversions;
using LoadBalancer.Translation.Documents;

namespace LoadBalancer.Translation.Maps;

/// <summary>Reads rules: of documents, and of parameters and header fields, which are the same without places.</summary>
internal static class RuleReader
{
    /// <summary>Rules that a list may have.</summary>
    internal const int RulesMax = 1000;

    private const string Arrow = "<->";

    /// <summary>Reads a list of rules. What cannot be read has been told of and is left out.</summary>
    internal static List<FieldRule> Rules(MapNode node, RuleUse use)
    {
        var rules = new List<FieldRule>();
        if (!node.IsArray)
        {
            node.Expected("a list of rules, such as [\"name <-> fullName\"]");
            return rules;
        }
        foreach (MapNode item in node.Items())
        {
            if (rules.Count == RulesMax)
            {
                node.Wrong($"has more than {RulesMax} rules");
                break;
            }
            if (Rule(item, use) is { } rule) rules.Add(rule);
        }
        return rules;
    }

    private static FieldRule? Rule(MapNode node, RuleUse use)
    {
        if (node.IsText)
        {
            string[] sides = node.Text.Split(Arrow, StringSplitOptions.TrimEntries);
            if (sides.Length > 2) node.Wrong($"has \"{Arrow}\" more than once");
            FieldPath? v1 = Path(node, sides[0], use), v2 = sides.Length == 2 ? Path(node, sides[1], use) : v1;
            return v1 is not null && v2 is not null && Fit(node, v1, v2) ? new FieldRule { MapPath = node.Path, V1 = [v1], V2 = [v2] } : null;
        }
        if (!node.IsObject)
        {
            node.Expected("a rule, such as \"name <-> fullName\" or { \"v1\": \"name\", \"v2\": \"fullName\" }");
            return null;
        }
        if (use == RuleUse.Document) node.Only("v1", "v2", "path", "default", "constant", "convert", "separator", "splitAt", "type", "lossy");
        else node.Only("v1", "v2", "path", "default", "constant", "convert", "lossy");
        FieldPath[]? one = Side(node, "v1", use), two = Side(node, "v2", use);
        if (one is null || two is null) return null;
        if (node.Find("path") is { } path)
        {
            if (one.Length + two.Length > 0) path.Wrong("stands beside \"v1\" or \"v2\"; it is the same as both with one path");
            if (!path.IsText) path.Expected("a path");
            if (!path.IsText || Path(path, path.Text, use) is not { } both) return null;
            one = two = [both];
        }
        if (one.Length + two.Length == 0)
        {
            node.Wrong("names nothing; expected \"v1\" and \"v2\", or one of them, or \"path\" for both");
            return null;
        }
        return Rule(node, one, two);
    }

    private static FieldRule? Rule(MapNode node, FieldPath[] v1, FieldPath[] v2)
    {
        bool isLossy = node.Flag("lossy"), isOneSided = v1.Length == 0 || v2.Length == 0;
        (byte[]? default1, byte[]? default2, bool omits) = Defaults(node);
        byte[]? constant = node.Find("constant") is { } value ? Json(value) : null;
        string? type = node.Find("type") is not { } typeNode ? null : typeNode.IsText ? typeNode.Text : "";
        if (type is { Length: 0 }) node.Find("type")!.Value.Expected("the name of one of \"types\"");
        byte[]? separator = Separator(node, v1, v2);
        bool atLast = node.Choice("splitAt", "first", "last") == 1;
        if (node.Find("splitAt") is { } split && separator is null) split.Wrong("has no effect without \"separator\"");
        foreach (FieldPath a in v1) foreach (FieldPath b in v2) if (!Fit(node, a, b)) return null;
        Conversion? conversion = null;
        bool list1 = false, list2 = false;
        if (node.Find("convert") is { } convert)
        {
            conversion = ConversionReader.Read(convert, isLossy, out list1, out list2);
            if (isOneSided || v1.Length > 1 || v2.Length > 1) convert.Wrong("stands on a rule that does not have one path in v1 and one in v2");
            if (type is not null) convert.Wrong("stands beside \"type\"; expected one of them");
        }
        if (isOneSided) OneSided(node, v1, default1, default2, constant, type, isLossy);
        else if (constant is not null) node.Find("constant")!.Value.Wrong("stands on a rule with both sides; a constant is written to the one side that has it");
        if (type is not null && (v1.Length > 1 || v2.Length > 1)) node.Find("type")!.Value.Wrong("stands on a rule with parts, which are texts");
        return new FieldRule
        {
            MapPath = node.Path,
            V1 = v1,
            V2 = v2,
            IsLossy = isLossy,
            DefaultV1 = default1,
            DefaultV2 = default2,
            OmitsDefault = omits,
            Constant = constant,
            Conversion = conversion,
            IsListInV1 = list1,
            IsListInV2 = list2,
            Separator = separator,
            SplitsAtLast = atLast,
            Type = type,
        };
    }

    private static void OneSided(MapNode node, FieldPath[] v1, byte[]? default1, byte[]? default2, byte[]? constant, string? type, bool isLossy)
    {
        (string side, string other) = v1.Length > 0 ? ("v1", "v2") : ("v2", "v1");
        if ((side == "v1" ? default2 : default1) is not null) node.Find("default")!.Value.Wrong($"is of {other}, where the rule has no path");
        if (type is not null) node.Find("type")!.Value.Wrong($"stands on a rule without {other}, where the value does not go");
        bool writes = constant is not null || (side == "v1" ? default1 : default2) is not null;
        if (!isLossy && !(side == "v2" && writes))
        {
            node.Wrong(writes && side == "v1"
                ? "is in v1 only, so what clients send there is lost; if that is meant, add \"lossy\": true, else \"v2\""
                : $"is in {side} only, so its value is lost on the way to {other}; if that is meant, add \"lossy\": true, else \"{other}\"{(side == "v2" ? " or a \"constant\"" : "")}");
        }
    }

    private static byte[]? Separator(MapNode node, FieldPath[] v1, FieldPath[] v2)
    {
        bool hasParts = v1.Length > 1 || v2.Length > 1;
        if (node.Find("separator") is not { } separator)
        {
            if (hasParts) node.Wrong("has several paths on a side, but no \"separator\" that stands between them");
            return hasParts ? " "u8.ToArray() : null;
        }
        if (!separator.IsText || separator.Text.Length is 0 or > 16) separator.Expected("a text of 1 to 16 characters");
        else if (!hasParts) separator.Wrong("has no effect on a rule with one path on each side; expected the parts as a list");
        else if (v1.Length != 1 && v2.Length != 1) separator.Wrong("stands between several paths on both sides; expected one path on one of them");
        else return Encoding.UTF8.GetBytes(separator.Text);
        return hasParts && (v1.Length == 1 || v2.Length == 1) ? " "u8.ToArray() : null;
    }

    private static (byte[]? V1, byte[]? V2, bool Omits) Defaults(MapNode node)
    {
        if (node.Find("default") is not { } all) return default;
        if (!all.IsObject)
        {
            all.Expected("an object such as { \"v2\": \"none\" }: which version gets it, and what");
            return default;
        }
        all.Only("v1", "v2", "omit");
        bool omits = all.Flag("omit");
        MapNode? v1 = all.Find("v1"), v2 = all.Find("v2");
        if (v1 is null && v2 is null) all.Wrong("says for no version what it is; expected \"v1\" or \"v2\"");
        if (omits && ((v1?.IsObject ?? false) || (v1?.IsArray ?? false) || (v2?.IsObject ?? false) || (v2?.IsArray ?? false)))
            all.Wrong("has \"omit\", but is no text, number, boolean or null, which are all that is compared");
        return (v1 is { } one ? Json(one) : null, v2 is { } two ? Json(two) : null, omits);
    }

    private static FieldPath[]? Side(MapNode node, string name, RuleUse use)
    {
        if (node.Find(name) is not { } side) return [];
        if (side.IsText) return Path(side, side.Text, use) is { } path ? [path] : null;
        if (use != RuleUse.Document || !side.IsArray)
        {
            side.Expected(use == RuleUse.Document ? "a path, or a list of paths for the parts of a value" : "a name");
            return null;
        }
        var paths = new List<FieldPath>();
        foreach (MapNode item in side.Items())
        {
            if (!item.IsText) item.Expected("a path");
            else if (Path(item, item.Text, use) is { } part) paths.Add(part);
        }
        if (paths.Count is < 2 or > Splitting.PartsMax) side.Wrong($"has {paths.Count} parts; expected 2 to {Splitting.PartsMax}");
        return paths.Count is >= 2 and <= Splitting.PartsMax ? [.. paths] : null;
    }

    private static FieldPath? Path(MapNode node, string text, RuleUse use)
    {
        if (use == RuleUse.Document)
        {
            FieldPath? path = FieldPath.Parse(text, out string error);
            if (path is null) node.Wrong($"the path \"{text}\" {error}");
            return path;
        }
        if (use == RuleUse.Header && !Messages.FieldNames.IsToken(text)) node.Wrong($"\"{text}\" is no name of a header field; expected letters, digits and \"-\"");
        else if (use == RuleUse.Header && Messages.FieldNames.IsManaged(text)) node.Wrong($"\"{text}\" belongs to the connection or to the body, and is kept right without a rule");
        else if (text.Length == 0 || text.Any(char.IsControl)) node.Wrong("is no name of a parameter");
        else return FieldPath.Of(text);
        return null;
    }

    // Elements go to elements and members to members, one for one.
    private static bool Fit(MapNode node, FieldPath v1, FieldPath v2)
    {
        if (v1.Repeats.SequenceEqual(v2.Repeats)) return true;
        node.Wrong($"\"{v1}\" and \"{v2}\" do not go through the same: each \"[]\" and \"*\" of v1 needs one in v2, in the same order");
        return false;
    }

    private static byte[] Json(MapNode node)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) node.Value.WriteTo(writer);
        return stream.ToArray();
    }
}

/// <summary>What rules are about.</summary>
internal enum RuleUse : byte
{
    /// <summary>JSON documents.</summary>
    Document,
    /// <summary>Parameters of queries.</summary>
    Query,
    /// <summary>Header fields.</summary>
    Header,
}
