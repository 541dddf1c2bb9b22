using System.Diagnostics.CodeAnalysis;
using System.Text;
using LoadBalancer.Schemas.Compilation;
using LoadBalancer.Schemas.Documents;
using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.Validation;

namespace LoadBalancer.Schemas;

/// <summary>
/// A compiled JSON Schema, of draft 2020-12 or draft 7 as its "$schema" says. Immutable; any thread. It passes all required cases of the official test suite for both.
/// </summary>
public sealed class JsonSchema
{
    private static readonly Uri Unnamed = new("json://local/schema.json");

    private readonly SchemaNode _root;
    private readonly SchemaOptions _options;

    internal JsonSchema(SchemaNode root, SchemaOptions options)
    {
        _root = root;
        _options = options;
    }

    /// <summary>The types that it can be valid for, as far as it says so itself.</summary>
    internal KindSet Types => _root.Types;

    /// <summary>Compiles a schema that refers to no other document.</summary>
    public static bool TryCompile(ReadOnlySpan<byte> utf8, SchemaOptions options, [NotNullWhen(true)] out JsonSchema? schema, out IReadOnlyList<SchemaProblem> problems) =>
        TryCompile(new DocumentSet().Add(Unnamed, utf8.ToArray()), Unnamed, options, out schema, out problems);

    /// <summary>Compiles one document, with those that it refers to.</summary>
    /// <param name="source">Where all of them come from.</param>
    /// <param name="uri">Which one; a fragment says which schema in it.</param>
    /// <param name="options">Bounds and choices.</param>
    /// <param name="schema">The schema.</param>
    /// <param name="problems">What is wrong, all of it as far as it can be told; empty when nothing is.</param>
    public static bool TryCompile(IDocumentSource source, Uri uri, SchemaOptions options, [NotNullWhen(true)] out JsonSchema? schema, out IReadOnlyList<SchemaProblem> problems)
    {
        schema = null;
        var registry = new SchemaRegistry(source, options);
        problems = registry.Problems;
        Uri document = uri.Fragment.Length == 0 ? uri : new Uri(uri.AbsoluteUri[..uri.AbsoluteUri.IndexOf('#', StringComparison.Ordinal)]);
        if (!source.TryRead(document, out byte[] content, out string error))
        {
            registry.Add(source.NameOf(document), error);
            return false;
        }
        Dialect dialect = options.DefaultsToDraft7 ? Dialect.Draft7 : Dialect.Draft202012;
        if (registry.LoadSchema(document, content, "", dialect) is not { } resource) return false;
        if (registry.Resolve(resource, uri.Fragment.Length == 0 ? "#" : uri.Fragment, resource.Root) is not { } root) return false;
        var compiler = new SchemaCompiler(registry);
        SchemaNode node = compiler.Compile(root);
        compiler.Finish();
        if (registry.Problems.Count > 0) return false;
        schema = new JsonSchema(node, options);
        return true;
    }

    /// <summary>Whether an instance is valid. Ends at the first failure.</summary>
    public bool IsValid(ReadOnlySpan<byte> utf8) => Validate(utf8, null) == InstanceVerdict.Valid;

    // Hot path: per body. 0 allocations while it is valid. SchemaAllocationTests
    /// <summary>Validates an instance. Never throws, whatever the bytes are.</summary>
    /// <param name="utf8">One JSON text.</param>
    /// <param name="problems">Takes what is wrong, up to <see cref="SchemaOptions.ProblemsMax"/>; null: only the verdict is asked.</param>
    public InstanceVerdict Validate(ReadOnlySpan<byte> utf8, List<InstanceProblem>? problems)
    {
        ReusedMemory memory = ReusedMemory.Get();
        JsonFault fault = memory.Tree.Parse(utf8, _options.Instance);
        if (fault != JsonFault.None) return Describe(fault, utf8, memory.Tree, _options.Instance, problems);
        // First the verdict alone, which most instances pass and which ends at the first failure; what is wrong is looked for only where something is.
        var run = new ValidationRun(memory.Tree.Over(utf8), memory.Run, _options, null);
        if (_root.Evaluate(ref run, 0, -1)) return InstanceVerdict.Valid;
        if (run.IsExhausted)
        {
            problems?.Add(new InstanceProblem("", _root.Location, "takes too much work to check"));
            return InstanceVerdict.TooComplex;
        }
        if (problems is null) return InstanceVerdict.Invalid;
        int known = problems.Count;
        memory.Run.Reset();
        run = new ValidationRun(memory.Tree.Over(utf8), memory.Run, _options, problems);
        _root.Evaluate(ref run, 0, -1);
        if (problems.Count == known) problems.Add(new InstanceProblem("", _root.Location, "is not valid; to say why takes too much work"));
        return InstanceVerdict.Invalid;
    }

    private static InstanceVerdict Describe(JsonFault fault, ReadOnlySpan<byte> utf8, JsonTree tree, JsonLimits limits, List<InstanceProblem>? problems)
    {
        InstanceVerdict verdict = fault is JsonFault.TooLarge or JsonFault.TooDeep or JsonFault.NumberTooLong ? InstanceVerdict.TooLarge : InstanceVerdict.NotJson;
        if (problems is null) return verdict;
        string pointer = "";
        string message;
        switch (fault)
        {
            case JsonFault.TooLarge: message = "has too many bytes or values"; break;
            case JsonFault.TooDeep: message = $"is nested deeper than {limits.DepthMax} levels"; break;
            case JsonFault.NumberTooLong: message = "has a number that is too long"; break;
            case JsonFault.DuplicateName:
                pointer = tree.Over(utf8).PointerOf(tree.Duplicate);
                message = "is there twice";
                break;
            default:
                // Of the text before it only the place is told.
                ReadOnlySpan<byte> read = utf8[..Math.Min(tree.Position, utf8.Length)];
                message = utf8.IsEmpty ? "is empty; expected JSON"
                    : $"is not valid JSON at line {read.Count((byte)'\n') + 1}, column {Encoding.UTF8.GetCharCount(read[(read.LastIndexOf((byte)'\n') + 1)..]) + 1}";
                break;
        }
        problems.Add(new InstanceProblem(pointer, "json", message));
        return verdict;
    }
}
