using LoadBalancer.Translation.Maps;
using LoadBalancer.Translation.Messages;

namespace LoadBalancer.Translation;

/// <summary>
/// The difference between two versions of an API, said once and used both ways: requests v1 → v2 and responses v2 → v1, or the other way round. Compiled when it is read; immutable,
/// any thread.
/// </summary>
public sealed class VersionMap
{
    /// <summary>Largest map, in bytes.</summary>
    public const int BytesMax = 4 * 1024 * 1024;

    internal VersionMap(MapRules rules, Translator forV1, Translator forV2)
    {
        Rules = rules;
        ForV1Clients = forV1;
        ForV2Clients = forV2;
    }

    /// <summary>Clients speak v1, destinations v2.</summary>
    public Translator ForV1Clients { get; }

    /// <summary>Clients speak v2, destinations v1.</summary>
    public Translator ForV2Clients { get; }

    /// <summary>Requests that no route of the map matches are refused, not passed on.</summary>
    public bool RefusesUnmatched => Rules.RefusesUnmatched;

    /// <summary>What does not come back, as the map declares it: place in the map, and what is lost.</summary>
    public IReadOnlyList<MapProblem> Losses => Rules.Losses;

    internal MapRules Rules { get; }

    /// <summary>Reads a map: UTF-8 JSON with comments and trailing commas.</summary>
    /// <exception cref="MapException">The map has problems; all of them are told.</exception>
    public static VersionMap Parse(ReadOnlyMemory<byte> json) => TryParse(json, out VersionMap? map, out IReadOnlyList<MapProblem> problems) ? map! : throw new MapException(problems);

    /// <summary>Reads a map; false, with all problems, when it cannot be used.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> json, out VersionMap? map, out IReadOnlyList<MapProblem> problems)
    {
        map = MapReader.Read(json, out List<MapProblem> found);
        problems = found;
        return map is not null;
    }
}
