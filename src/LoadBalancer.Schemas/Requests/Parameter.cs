using System.Text;
using LoadBalancer.Schemas.Json;

namespace LoadBalancer.Schemas.Requests;

/// <summary>One parameter of an operation, or a header field of a response. Immutable; any thread.</summary>
internal sealed class Parameter
{
    internal Parameter(RequestPlace place, string name, string rule)
    {
        Place = place;
        Name = name;
        Rule = rule;
        Utf8 = Encoding.UTF8.GetBytes(place == RequestPlace.Header ? name.ToLowerInvariant() : name);
        Hash = NameHash.Of(Utf8);
    }

    internal RequestPlace Place { get; }

    internal string Name { get; }

    /// <summary>Where it is described.</summary>
    internal string Rule { get; }

    internal byte[] Utf8 { get; }

    internal int Hash { get; }

    internal bool IsRequired { get; init; }

    internal bool AllowsEmpty { get; init; }

    internal ParameterStyle Style { get; init; }

    internal bool Explodes { get; init; }

    /// <summary>Its text is JSON (content instead of schema).</summary>
    internal bool IsJson { get; init; }

    internal JsonSchema? Schema { get; init; }

    internal ValueShape Shape { get; init; } = ValueShape.Any;

    internal bool IsScalar => !Shape.IsArray && !Shape.IsObject;
}
