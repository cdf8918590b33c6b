<#
Try the installer, not the sources: install it silently, use it, remove it, and see what stays.

    powershell -ExecutionPolicy Bypass -File packaging\windows\smoke.ps1 -Setup build\packages\commonplace-0.1.0-windows-x86_64.exe

Everything happens below a new folder in TEMP. To be run on a machine without Python in the
PATH, as an ordinary user.
#>
param([Parameter(Mandatory = $true)][string]$Setup)
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version Latest

$Setup = (Resolve-Path $Setup).Path
$work = Join-Path $env:TEMP "commonplace-smoke-$PID"
$target = Join-Path $work 'program'
$project = Join-Path $work 'project'
New-Item -ItemType Directory -Path $project | Out-Null
$env:COMMONPLACE_HOME = Join-Path $work 'home'
Set-Content -Encoding utf8 (Join-Path $project 'app.py') "def load_config(path):`n    '''Read the configuration.'''`n    return open(path).read()`n"

function Assert-That {
    param([bool]$Holds, [string]$What)
    if (-not $Holds) { throw "Not so: $What" }
    "ok  $What"
}

function Invoke-Program {
    param([string[]]$Arguments)
    $said = & $script:exe @Arguments 2>&1 | Out-String
    Assert-That ($LASTEXITCODE -eq 0) "commonplace $($Arguments -join ' ')" | Out-Host
    return $said
}

# /D= is the last argument and is never quoted: so NSIS wants it.
$done = Start-Process -FilePath $Setup -ArgumentList '/S', "/D=$target" -Wait -PassThru
Assert-That ($done.ExitCode -eq 0) 'the installer ends well'
$exe = @(Get-ChildItem $target -Recurse -Filter 'commonplace.exe')[0].FullName
$told = Invoke-Program @('--version')
Assert-That ($told -match 'SBOM\s+sha256:[0-9a-f]{64}') 'it says what is inside'
Invoke-Program @('doctor') | Out-Host
Invoke-Program @('index', $project) | Out-Host
$found = Invoke-Program @('search', $project, 'where is the configuration read', '--json')
Assert-That ($found -match 'app\.py') 'it finds the function'
$answer = Invoke-Program @('ask', $project, 'Which function reads the configuration?', '--json')
Assert-That ($answer -match 'app\.py') 'the answer of the shipped model has a source'
Invoke-Program @('notes', 'add', $project, '--title', 'Kept', '--text', 'A note that stays.', '--private') | Out-Null

$again = Start-Process -FilePath $Setup -ArgumentList '/S', "/D=$target" -Wait -PassThru
Assert-That ($again.ExitCode -eq 0) 'installing over it ends well'
$notes = Invoke-Program @('notes', 'list', $project)
Assert-That ($notes -match 'Kept') 'the note is there after that'

$uninstall = @(Get-ChildItem $target -Recurse -Filter 'uninstall.exe')[0].FullName
Start-Process -FilePath $uninstall -ArgumentList '/S' -Wait
# It copies itself away and goes on there, so its end is waited for by what it does.
for ($tries = 0; (Test-Path $exe) -and ($tries -lt 120); $tries++) { Start-Sleep -Milliseconds 500 }
Assert-That (-not (Test-Path $exe)) 'the program is gone'
$kept = @(Get-ChildItem $env:COMMONPLACE_HOME -Recurse -Filter '*.md')
Assert-That ($kept.Count -ge 1) 'the note is still there'
Remove-Item -Recurse -Force $work
'The installer passed.'
