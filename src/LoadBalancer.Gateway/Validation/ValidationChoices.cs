namespace LoadBalancer.Gateway.Validation;

/// <summary>What becomes of a request that is not valid.</summary>
public enum ValidationMode
{
    /// <summary>It is refused.</summary>
    Enforce,
    /// <summary>It goes on; the log and a counter tell of it.</summary>
    Report,
}

/// <summary>Whether responses are held against the document.</summary>
public enum ResponseValidation
{
    /// <summary>They are not looked at.</summary>
    Off,
    /// <summary>They go on as they are; the log and a counter tell of those that are not as described.</summary>
    Report,
}

/// <summary>What becomes of query parameters that nobody has described.</summary>
public enum UnknownQuery
{
    /// <summary>They go on.</summary>
    Allow,
    /// <summary>The request is not valid.</summary>
    Refuse,
}

/// <summary>What becomes of a compressed body that is to be held against a schema.</summary>
public enum CompressedBodies
{
    /// <summary>It is decoded to be looked at, within the bound of bodies; forwarded as it came.</summary>
    Decode,
    /// <summary>The request is not valid (415).</summary>
    Refuse,
}
