namespace LoadBalancer.Scripting;

/// <summary>The TypeScript declarations of what scripts see.</summary>
public static class ScriptTypes
{
    private const string Resource = "LoadBalancer.Scripting.lb.d.ts";

    /// <summary>Name under which they are usually kept.</summary>
    public const string FileName = "lb.d.ts";

    /// <summary>The declarations.</summary>
    public static string Text
    {
        get
        {
            using Stream stream = typeof(ScriptTypes).Assembly.GetManifestResourceStream(Resource) ?? throw new InvalidOperationException($"{Resource} is not in the assembly");
            using var reader = new StreamReader(stream);
            return reader.ReadToEnd();
        }
    }
}
