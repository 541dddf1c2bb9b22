namespace LoadBalancer.Scripting.Loading;

/// <summary>A program, and which hooks it has. Immutable.</summary>
internal sealed record LoadedScript(ScriptProgram Program, bool HasRequestHook, bool HasResponseHook);
