using Acornima;
using Acornima.Ast;

namespace LoadBalancer.Scripting.Loading;

/// <summary>What is read off a module before it is run: what it imports, what it declares, and what it may not have.</summary>
internal sealed class ModuleFacts : AstVisitor
{
    private int _functionDepth;

    private ModuleFacts()
    {
    }

    /// <summary>What it imports, in order.</summary>
    internal List<string> Imports { get; } = [];

    /// <summary>Constants, functions and classes of the top level.</summary>
    internal List<string> Constants { get; } = [];

    /// <summary>Variables of the top level: they keep their value from one call of the engine to the next.</summary>
    internal List<string> Variables { get; } = [];

    /// <summary>Why it cannot be used: "line:column: what is wrong"; null where it can.</summary>
    internal string? Problem { get; private set; }

    internal static ModuleFacts Of(Module module)
    {
        var facts = new ModuleFacts();
        foreach (Statement statement in module.Body) facts.Declare(statement);
        facts.Visit(module);
        return facts;
    }

    protected override object? VisitImportDeclaration(ImportDeclaration node)
    {
        AddImport(node, node.Source, node.Attributes.Count);
        return base.VisitImportDeclaration(node);
    }

    protected override object? VisitExportNamedDeclaration(ExportNamedDeclaration node)
    {
        if (node.Source is not null) AddImport(node, node.Source, node.Attributes.Count);
        return base.VisitExportNamedDeclaration(node);
    }

    protected override object? VisitExportAllDeclaration(ExportAllDeclaration node)
    {
        AddImport(node, node.Source, node.Attributes.Count);
        return base.VisitExportAllDeclaration(node);
    }

    protected override object? VisitImportExpression(ImportExpression node)
    {
        Refuse(node, "import() is not there; import at the top of the file");
        return base.VisitImportExpression(node);
    }

    protected override object? VisitAwaitExpression(AwaitExpression node)
    {
        if (_functionDepth == 0) Refuse(node, "await at the top level: there is nothing to wait for before a request has come");
        return base.VisitAwaitExpression(node);
    }

    protected override object? VisitForOfStatement(ForOfStatement node)
    {
        if (node.Await && _functionDepth == 0) Refuse(node, "await at the top level: there is nothing to wait for before a request has come");
        return base.VisitForOfStatement(node);
    }

    protected override object? VisitFunctionDeclaration(FunctionDeclaration node) => Inside(static (facts, node) => facts.VisitBaseOf(node), node);

    protected override object? VisitFunctionExpression(FunctionExpression node) => Inside(static (facts, node) => facts.VisitBaseOf(node), node);

    protected override object? VisitArrowFunctionExpression(ArrowFunctionExpression node) => Inside(static (facts, node) => facts.VisitBaseOf(node), node);

    private object? VisitBaseOf(FunctionDeclaration node) => base.VisitFunctionDeclaration(node);

    private object? VisitBaseOf(FunctionExpression node) => base.VisitFunctionExpression(node);

    private object? VisitBaseOf(ArrowFunctionExpression node) => base.VisitArrowFunctionExpression(node);

    private object? Inside<T>(Func<ModuleFacts, T, object?> visit, T node)
    {
        _functionDepth++;
        object? result = visit(this, node);
        _functionDepth--;
        return result;
    }

    private void AddImport(Node node, StringLiteral source, int attributes)
    {
        if (attributes > 0) Refuse(node, "an import with attributes: only JavaScript can be imported");
        else Imports.Add(source.Value);
    }

    private void Declare(Node? statement)
    {
        switch (statement)
        {
            case ExportNamedDeclaration export:
                Declare(export.Declaration);
                break;
            case ExportDefaultDeclaration export:
                Declare(export.Declaration);
                break;
            case FunctionDeclaration { Id: { } id }:
                Constants.Add(id.Name);
                break;
            case ClassDeclaration { Id: { } id }:
                Constants.Add(id.Name);
                break;
            case VariableDeclaration variables:
                List<string> names = variables.Kind == VariableDeclarationKind.Const ? Constants : Variables;
                foreach (VariableDeclarator variable in variables.Declarations) AddNames(variable.Id, names);
                break;
        }
    }

    private static void AddNames(Node? pattern, List<string> names)
    {
        switch (pattern)
        {
            case Identifier id:
                names.Add(id.Name);
                break;
            case ArrayPattern array:
                foreach (Node? element in array.Elements) AddNames(element, names);
                break;
            case ObjectPattern obj:
                foreach (Node property in obj.Properties) AddNames(property is Property { Value: var value } ? value : property, names);
                break;
            case AssignmentPattern assignment:
                AddNames(assignment.Left, names);
                break;
            case RestElement rest:
                AddNames(rest.Argument, names);
                break;
        }
    }

    private void Refuse(Node node, string problem) => Problem ??= $"{node.Location.Start.Line}:{node.Location.Start.Column + 1}: {problem}";
}
