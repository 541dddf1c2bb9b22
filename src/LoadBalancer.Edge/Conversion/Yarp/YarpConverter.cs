using System.Globalization;
using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration;

namespace LoadBalancer.Edge.Conversion.Yarp;

/// <summary>Makes a configuration for lb of the section "ReverseProxy" in an appsettings.json, and of Kestrel's addresses beside it.</summary>
internal static class YarpConverter
{
    internal static ConversionResult Convert(string path)
    {
        byte[] utf8;
        try
        {
            if (new FileInfo(path).Length > ConfigFile.BytesMax) return ConversionResult.Unreadable(path, 0, $"is larger than {ConfigFile.BytesMax} bytes");
            utf8 = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ConversionResult.Unreadable(path, 0, Hosting.Configuration.FileProblem.Describe(e, path));
        }
        return Convert(utf8, path);
    }

    internal static ConversionResult Convert(ReadOnlyMemory<byte> utf8, string path)
    {
        if (utf8.Span.StartsWith("\uFEFF"u8)) utf8 = utf8[3..];
        var text = new ConfigText(utf8, path);
        var problems = new List<ConfigDiagnostic>();
        if (ConfigParser.Parse(text, problems) is not { Kind: ConfigNodeKind.Object } root)
            return problems is [var problem, ..] ? ConversionResult.Unreadable(path, problem.Line, problem.Message) : ConversionResult.Unreadable(path, 1, "is no JSON object");
        var findings = new YarpFindings(text);
        foreach (ConfigDiagnostic twice in problems) findings.Add(text.OffsetOf(twice.Line - 1, 0), twice.Message);
        var file = new YarpSection(root, "", findings);
        if (root.Members.Find(member => member.Key.Equals("ReverseProxy", StringComparison.OrdinalIgnoreCase)) is not { } section) return ConversionResult.Unreadable(path, 0, "has no section \"ReverseProxy\"");
        if (section.Value.Kind != ConfigNodeKind.Object) return ConversionResult.Unreadable(path, text.At(section.KeyOffset, "", "").Line, "\"ReverseProxy\" is no object");

        var config = new DraftObject();
        bool hasPassword = YarpListeners.Convert(file, config);
        var proxy = new YarpSection(section.Value, "ReverseProxy", findings);
        var hosts = new Dictionary<string, YarpHosts>(StringComparer.OrdinalIgnoreCase); // by cluster
        config.Child("routes");
        config.Child("policies");
        YarpSection all = proxy.Section("Routes");
        YarpMatch[] matches = [.. all.Sections().Select(route => YarpMatch.Of(route.Key, route.Section)).OfType<YarpMatch>()];
        foreach (YarpMatch match in matches) YarpRoutes.Convert(match, matches, config, hosts);
        if (YarpRoutes.HasLetters(all)) all.Differs("YARP matches paths without regard to case, lb by case");
        DraftObject clusters = config.Child("clusters");
        foreach ((string name, YarpSection cluster) in proxy.Section("Clusters").Sections()) YarpClusters.Convert(name, cluster, clusters, hosts.GetValueOrDefault(name));
        proxy.Left();

        var written = new StringBuilder();
        written.Append("// Made by \"lb convert yarp\" of ").Append(DraftObject.Printable(Path.GetFileName(path))).Append(". Check it: lb check\n");
        if (findings.All.Count > 0) written.Append("// Left out, or not quite the same:\n");
        foreach (ConversionFinding finding in findings.All) written.Append("//   ").Append(DraftObject.Printable(finding.ToString())).Append('\n');
        config.Write(written);
        return new ConversionResult(written.Append('\n').ToString(), findings.All, hasPassword);
    }

    /// <summary>A TimeSpan as .NET writes it, "00:00:30"; null for anything else.</summary>
    internal static object? Duration(string? text) =>
        text is not null && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan time) && time >= TimeSpan.Zero ? time == TimeSpan.Zero ? 0 : DurationText.Format(time) : null;
}

/// <summary>What the routes of a cluster send as Host.</summary>
[Flags]
internal enum YarpHosts
{
    None = 0,
    Destination = 1,
    Client = 2,
}
