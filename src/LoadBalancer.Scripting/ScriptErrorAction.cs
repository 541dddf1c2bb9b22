namespace LoadBalancer.Scripting;

/// <summary>What becomes of a request whose script has failed, or has used more than it may.</summary>
public enum ScriptErrorAction
{
    /// <summary>It is refused: 500 for onRequest, 502 for onResponse.</summary>
    Refuse,
    /// <summary>It goes on with what the script had done until then.</summary>
    Continue,
}
