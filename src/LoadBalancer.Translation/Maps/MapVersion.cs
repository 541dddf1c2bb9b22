namespace LoadBalancer.Translation.Maps;

/// <summary>A side of a map.</summary>
public enum MapVersion : byte
{
    /// <summary>The one that the map names "v1".</summary>
    V1,
    /// <summary>The one that the map names "v2".</summary>
    V2,
}
