using System.Security.Cryptography;
using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Files;
using LoadBalancer.Core.Policies;
using LoadBalancer.Translation;
using LoadBalancer.Translation.Maps;

namespace LoadBalancer.Gateway.Versioning;

/// <summary>Translates between two versions of an API: clients speak the one, destinations the other.</summary>
public sealed record TranslateConfig : PolicyConfig
{
    private readonly string? _inline; // text, by which two are equal
    internal static readonly NumberRange BodyBytesRange = new(1024, 16 * 1024 * 1024);
    internal static readonly NumberRange DepthRange = new(1, 256);

    /// <summary>File of the map. Null where it is <see cref="Inline"/>.</summary>
    public string? Map { get; init; }

    /// <summary>The map itself, UTF-8 JSON with comments and trailing commas. Null where it is a file.</summary>
    public ReadOnlyMemory<byte>? Inline
    {
        get => _inline is { } text ? Encoding.UTF8.GetBytes(text) : (ReadOnlyMemory<byte>?)null; // an empty one is not none
        init => _inline = value is { } bytes ? Encoding.UTF8.GetString(bytes.Span) : null;
    }

    /// <summary>Which way. Default: clients speak v1, destinations v2.</summary>
    public TranslateDirection Direction { get; init; }

    /// <summary>What entity tags of translated responses end with, before their closing quote. Null (default): ";v1", or ";v2" for clients of v2. To be changed with the map.</summary>
    public string? ETagSuffix { get; init; }

    /// <summary>Longest document, also when it has been decompressed. Longer requests get 413, longer responses become an error. Default 1 MiB.</summary>
    public int BodyBytesMax { get; init; } = 1024 * 1024;

    /// <summary>Objects and arrays within one another. Default 64.</summary>
    public int DepthMax { get; init; } = 64;

    /// <summary>Compressed documents are decompressed (default), or refused: requests with 415, responses with 502.</summary>
    public bool RefusesCompressed { get; init; }

    /// <summary>Content that is no JSON, where the map has rules for JSON, passes (default), or is refused: requests with 415, responses with 502.</summary>
    public bool RefusesOtherContent { get; init; }

    /// <summary>Since when the clients' version is deprecated, for the Deprecation field (RFC 9745). Null (default): it is not.</summary>
    public DateTimeOffset? Deprecated { get; init; }

    /// <summary>When the clients' version will cease, for the Sunset field (RFC 8594). Null (default): it will not.</summary>
    public DateTimeOffset? Sunset { get; init; }

    /// <summary>A page about the deprecation, for Link with rel="deprecation" (RFC 9745 §3). Null (default): none.</summary>
    public string? DeprecationLink { get; init; }

    /// <summary>A page about the end, for Link with rel="sunset" (RFC 8594 §6). Null (default): none.</summary>
    public string? SunsetLink { get; init; }

    /// <summary>Where the next version is, for Link with rel="successor-version" (RFC 5829). Null (default): none.</summary>
    public string? SuccessorLink { get; init; }

    /// <inheritdoc/>
    public override string Kind => "translate";

    /// <summary>The suffix that holds.</summary>
    internal string Suffix => ETagSuffix ?? (Direction == TranslateDirection.V1ToV2 ? ";v1" : ";v2");

    /// <inheritdoc/>
    protected internal override void Validate(PolicyProblems problems)
    {
        problems.Range("bodyBytesMax", BodyBytesMax, BodyBytesRange);
        problems.Range("depthMax", DepthMax, DepthRange);
        // etagc of RFC 9110 §8.8.3, as far as it is ASCII.
        if (Suffix.Length is 0 or > 32 || Suffix.Any(c => c is <= ' ' or '"' or > '~')) problems.Add("etagSuffix", $"{CharacterText.Quote(Suffix)} cannot end an entity tag; expected 1 to 32 visible characters other than '\"', such as \";v1\"");
        foreach ((string name, string? link) in new[] { ("deprecationLink", DeprecationLink), ("sunsetLink", SunsetLink), ("successorLink", SuccessorLink) })
        {
            if (link is not null && (link.Length == 0 || link.Any(c => c is <= ' ' or '<' or '>' or '"' or > '~'))) problems.Add(name, $"{CharacterText.Quote(link)} is no URL; expected one such as \"https://example.com/v1\" or \"/v2\"");
        }
        if (Sunset is { } sunset && Deprecated is { } deprecated && sunset < deprecated) problems.Add("sunset", "is before \"deprecated\"; a version ends after it was deprecated (RFC 9745 §4)");
        if ((Map is null) == (Inline is null)) problems.Add("map", Map is null ? "is missing; expected the file of a map, or the map itself" : "is given as a file and inline; expected one of them");
        else if (Read(out IReadOnlyList<MapProblem> found, out string error) is null)
        {
            if (error.Length > 0) problems.Add("map", $"{CharacterText.Quote(Map!)} {error}");
            foreach (MapProblem problem in found)
            {
                if (Map is null) problems.Add(problem.Path.Length == 0 ? "map" : problem.Path[0] == '[' ? $"map{problem.Path}" : $"map.{problem.Path}", problem.Message);
                else problems.Add("map", $"{Map}: {problem}");
            }
        }
    }

    /// <inheritdoc/>
    protected internal override PolicyConfig InDirectory(string directory) => string.IsNullOrEmpty(Map) ? this : this with { Map = Path.Combine(directory, Map) };

    /// <inheritdoc/>
    protected internal override IRoutePolicy Create(PolicyServices services) => new TranslatePolicy(this, ReadMap(), services);

    /// <summary>The map, from its file or as it stands here.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="MapException">The map has problems; all of them are listed.</exception>
    public VersionMap ReadMap() =>
        Read(out IReadOnlyList<MapProblem> problems, out string error) ?? throw (error.Length > 0 ? new IOException($"{Map} {error}") : new MapException(problems));

    /// <summary>What tells one state of the map's file from another; null where there is none to be read.</summary>
    internal byte[]? MapHash() => Map is not null && WholeFile.TryRead(Map, VersionMap.BytesMax, out byte[]? content, out _) ? SHA256.HashData(content) : null;

    private VersionMap? Read(out IReadOnlyList<MapProblem> problems, out string error)
    {
        error = "";
        problems = [];
        ReadOnlyMemory<byte> json;
        if (Inline is { } inline) json = inline;
        else
        {
            try
            {
                using FileStream file = File.OpenRead(Map!);
                byte[] bytes = new byte[VersionMap.BytesMax + 1];
                json = bytes.AsMemory(0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
            {
                error = e is FileNotFoundException or DirectoryNotFoundException ? "does not exist" : $"cannot be read: {e.Message.ReplaceLineEndings(" ")}";
                return null;
            }
        }
        return VersionMap.TryParse(json, out VersionMap? map, out problems) ? map : null;
    }
}

/// <summary>Which way a map is used.</summary>
public enum TranslateDirection : byte
{
    /// <summary>Clients speak v1, destinations v2.</summary>
    V1ToV2,
    /// <summary>Clients speak v2, destinations v1.</summary>
    V2ToV1,
}
