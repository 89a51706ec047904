/** What is found before anything begins. */
export interface Finding {
  level: 'refused' | 'warning';
  text: string;
}
