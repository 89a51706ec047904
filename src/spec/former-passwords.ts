/** Says in the text of a spec that users have two passwords, or one again. Comments and layout of the file stay. */
import { parseDocument } from 'yaml';

/** What a password's file is called while another one takes its place. */
export function formerFile(file: string): string {
  return `${file}.former`;
}

/** Each user's `formerPassword` lies beside its password. @param users whose passwords are in files */
export function withFormerPasswords(text: string, users: readonly string[]): string {
  const document = parseDocument(text);
  for (const user of users) {
    const file = String(document.getIn([...placeOf(user), 'password', 'file']));
    document.setIn([...placeOf(user), 'formerPassword'], document.createNode({ file: formerFile(file) }));
  }
  return document.toString({ lineWidth: 0 });
}

export function withoutFormerPasswords(text: string, users: readonly string[]): string {
  const document = parseDocument(text);
  for (const user of users) document.deleteIn([...placeOf(user), 'formerPassword']);
  return document.toString({ lineWidth: 0 });
}

function placeOf(user: string): string[] {
  return ['security', 'users', user];
}
